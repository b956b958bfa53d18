// @limit 600
// The real Claude Code in a real container, through the worker bundle; the model is simulated.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { DescribeResponse } from '../../../agent-worker/src/generated/claude_agent/v1/agent.ts';
import { attach, bearer, connect, options } from '../../../agent-worker/tests/support/client.ts';
import { type ModelApi, startModelApi } from '../../../simulator/src/model/index.ts';
import { type Machine, startMachine } from './machine.ts';
import { API_KEY, runContainer, type TestContainer, thinBundle } from './workerContainer.ts';

interface Context {
  machine: Machine;
  bundle: readonly string[];
  container: TestContainer;
  api: ModelApi;
}

const agents = suite<Context>('agents in containers');

agents.before(async (context) => {
  context.machine = await startMachine();
  context.bundle = await thinBundle(context.machine);
  context.container = await runContainer(context.machine, [...context.bundle, '--env', 'FROM_THE_IMAGE=yes']);
  await context.container.sh(
    'addgroup -g 4444 helpers; addgroup vscode helpers; chown vscode /home/vscode; mkdir -p /workspaces/app; chown vscode /workspaces/app',
  );
  context.api = await startModelApi({ host: context.container.gateway });
  await context.container.start({
    secrets: { ANTHROPIC_API_KEY: API_KEY, ANTHROPIC_BASE_URL: context.api.url, GH_TOKEN: 'gh-token\nof two lines' },
  });
});
agents.after(async ({ machine, api }) => {
  await api?.close();
  await machine?.remove();
});

agents(
  'a prompt is answered by Claude Code as the remote user, with its groups, home and secrets',
  async ({ container, api }) => {
    const client = connect(container.port);
    try {
      const described = await new Promise<DescribeResponse>((resolve, reject) =>
        client.describe({}, bearer(), (error, answer) => (error ? reject(error) : resolve(answer))),
      );
      assert.is(described.identity, container.spec().identity);
      assert.match(described.claudeCodeVersion, /^\d+\.\d+/);
      assert.ok(described.credentialsPresent);
      const stream = attach(client, { create: options('/workspaces/app') });
      stream.prompt(
        'p1',
        'run: id; pwd; env | sort; grep Sig /proc/self/status; ps; ls -ld /csm/home/agent/.claude /csm/home/agent/.claude/*',
      );
      const turn = await stream.ended('p1');
      const seen = stream.all('toolResult')[0]?.summary ?? '';
      console.log(
        JSON.stringify(turn),
        seen,
        api.requests.length,
        await container.sh('cat /csm/home/worker/worker.log'),
      );
      console.log(await container.sh('ls -lanR /csm/home | head -100; grep Sig /proc/self/status'));
    } finally {
      client.close();
    }
  },
);

agents.run();
