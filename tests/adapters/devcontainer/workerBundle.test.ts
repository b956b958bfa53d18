// @limit 900
// The real worker bundle, built and brought to the machine, in an image that knows nothing of it.
import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { DescribeResponse } from '../../../agent-worker/src/generated/claude_agent/v1/agent.ts';
import { attach, bearer, connect, options } from '../../../agent-worker/tests/support/client.ts';
import { TOKEN_SHA256 } from '../../../agent-worker/tests/support/workerProcess.ts';
import { startModelApi } from '../../../simulator/src/model/index.ts';
import { CONTAINER_WORKER_PORT, installBundle, startWorker } from '../../../src/adapters/devcontainer/index.ts';
import { alone } from '../../support/alone.ts';
import { freePort } from '../../support/sshd.ts';
import { IMAGE, type Machine, startMachine } from './machine.ts';
import { project } from './project.ts';
import { processesIn } from './workerContainer.ts';

alone({ network: true });

const bundles = suite<{ machine: Machine }>('the real worker bundle');

bundles.before(async (context) => {
  context.machine = await startMachine();
});
bundles.after(async ({ machine }) => machine?.remove());

bundles('a stock image runs Claude Code through the bundle, unchanged', async ({ machine }) => {
  const built = join(machine.folder, 'built');
  const mount = join(machine.folder, 'mount');
  await promisify(execFile)(process.execPath, ['scripts/build-worker-bundle.mjs', built]);
  const [bundle] = await installBundle(machine.shell, built, mount);
  await rm(built, { recursive: true });
  assert.match(bundle?.version ?? '', /^\d+\.\d+\.\d+\+[0-9a-f]{12}$/);

  const hostPort = await freePort();
  const config = `{ "image": "${IMAGE}", "remoteUser": "vscode", "updateRemoteUserUID": false }`;
  const files = { '.devcontainer/devcontainer.json': config };
  const app = await project(machine, 'stock', files, {
    additions: {
      workerMount: mount,
      userns: 'host',
      publish: { address: '127.0.0.1', hostPort, containerPort: CONTAINER_WORKER_PORT },
      limits: { memoryBytes: 2 * 1024 ** 3, cpus: 2, pids: 500 },
    },
  });
  const up = await app.up();
  assert.is(up.remoteUser, 'vscode');
  const host = { shell: machine.shell, runtime: 'podman' as const };
  const inside = (script: string) => machine.podman('exec', up.containerId, 'sh', '-c', script);
  await inside(`chown -R vscode ${up.workspaceFolder}; echo helpers:x:4444:other,vscode >>/etc/group`);
  const [network] = JSON.parse(await machine.podman('network', 'inspect', 'isolated'));
  const api = await startModelApi({ host: network.subnets[0].gateway });
  const place = { containerId: up.containerId, remoteUser: up.remoteUser, remoteWorkspaceFolder: up.workspaceFolder };
  try {
    const spec = {
      identity: 'acme/stock@main#1',
      tokenHash: TOKEN_SHA256,
      port: CONTAINER_WORKER_PORT,
      agentIdleSeconds: 900,
      secrets: { ANTHROPIC_API_KEY: 'test', ANTHROPIC_BASE_URL: api.url },
      bundled: true,
    };
    const found = await startWorker(host, place, spec);
    assert.equal(found, { running: true, version: bundle?.version });
    const client = connect(hostPort);
    try {
      const described = await new Promise<DescribeResponse>((resolve, reject) =>
        client.describe({}, bearer(), (error, answer) => (error ? reject(error) : resolve(answer))),
      );
      assert.is(described.workerVersion, bundle?.version);
      assert.match(described.claudeCodeVersion, /^\d+\.\d+/);
      const stream = attach(client, { create: options(up.workspaceFolder) });
      stream.prompt(
        'p1',
        'create hello.txt with the word bundled, then run: cat hello.txt; id; env; command -v node || echo no node here',
      );
      assert.is((await stream.ended('p1')).outcome, 'TURN_OUTCOME_COMPLETED');
      const seen = stream.all('toolResult').at(-1)?.summary ?? '';
      assert.match(seen, /^bundled\n/);
      assert.match(seen, /uid=1000\(vscode\) gid=1000\(vscode\) groups=1000\(vscode\),4444\(helpers\)/);
      assert.match(seen, /no node here/);
      assert.not.match(seen, /AGENT_WORKER_/);
    } finally {
      client.close();
    }
    const running = (text: string): Promise<string[]> => processesIn(inside, text);
    const before = await running('--listen');
    const agents = await running('stream-json');
    assert.is(agents.length, 1, (await running('')).join('\n'));
    await startWorker(host, place, { ...spec, identity: 'acme/stock@main#2' });
    assert.equal(await running('stream-json'), [], 'the agent has gone with the worker before');
    const after = await running('--listen');
    assert.ok(after.length > 0 && after.every((line) => !before.includes(line)));
  } finally {
    await api.close();
  }
});

bundles.run();
