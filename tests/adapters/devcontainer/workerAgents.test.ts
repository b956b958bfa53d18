// @limit 600
// The real Claude Code in a real container, through a worker that its supervisor keeps running; the model is simulated.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type {
  AgentWorkerServiceClient,
  DescribeResponse,
} from '../../../agent-worker/src/generated/claude_agent/v1/agent.ts';
import { attach, bearer, connect, options } from '../../../agent-worker/tests/support/client.ts';
import { TOKEN, TOKEN_SHA256 } from '../../../agent-worker/tests/support/workerProcess.ts';
import { type ModelApi, startModelApi } from '../../../simulator/src/model/index.ts';
import { alone } from '../../support/alone.ts';
import { until } from '../../support/sshd.ts';
import { type Machine, startMachine } from './machine.ts';
import { API_KEY, runContainer, type TestContainer, thinBundle } from './workerContainer.ts';

alone();

interface Context {
  machine: Machine;
  container: TestContainer;
  api: ModelApi;
  client: AgentWorkerServiceClient;
}

const agents = suite<Context>('agents in containers');
const FOLDER = '/workspaces/app';

agents.before(async (context) => {
  context.machine = await startMachine();
  const bundle = await thinBundle(context.machine);
  context.container = await runContainer(context.machine, [
    ...bundle,
    '--env',
    'FROM_THE_IMAGE=yes',
    '--env',
    'PATH=/usr/local/bin:/usr/bin:/bin:/of/the/image',
    '--env',
    'NODE_OPTIONS=--require=/tmp/planted.cjs',
  ]);
  const { container } = context;
  await container.sh(
    `mkdir -p ${FOLDER}; chown vscode ${FOLDER} /home/vscode; echo 'require("fs").writeFileSync("/tmp/loaded-by-" + process.getuid(), "")' >/tmp/planted.cjs`,
  );
  context.api = await startModelApi({ host: container.gateway });
  await container.start({
    secrets: { ANTHROPIC_API_KEY: API_KEY, ANTHROPIC_BASE_URL: context.api.url, GH_TOKEN: 'gh-token\nof two lines' },
  });
  context.client = connect(container.port);
});
agents.after(async ({ machine, api, client }) => {
  client?.close();
  await api?.close();
  await machine?.remove();
});

const workersOf = async (container: TestContainer): Promise<string[]> =>
  (await container.processes('dist/main.js --listen')).map((line) => line.split(' ')[0] ?? '');

agents(
  'a prompt is answered by Claude Code as the remote user, in the container’s environment',
  async ({ client, container }) => {
    const described = await new Promise<DescribeResponse>((resolve, reject) =>
      client.describe({}, bearer(), (error, answer) => (error ? reject(error) : resolve(answer))),
    );
    assert.is(described.identity, container.spec().identity);
    assert.match(described.claudeCodeVersion, /^\d+\.\d+/);
    assert.ok(described.credentialsPresent);

    const stream = attach(client, { sessionId: 'answers', create: options(FOLDER) });
    stream.prompt('p1', 'run: id -u; pwd; umask; env | sort');
    assert.is((await stream.ended('p1')).outcome, 'TURN_OUTCOME_COMPLETED');
    const seen = stream.all('toolResult')[0]?.summary.split('\n') ?? [];
    assert.equal(seen.slice(0, 3), ['1000', FOLDER, '0022']);
    const expected = [
      'HOME=/home/vscode',
      'USER=vscode',
      'CLAUDE_CONFIG_DIR=/csm/home/agent/.claude',
      'FROM_THE_IMAGE=yes',
      'PATH=/usr/local/bin:/usr/bin:/bin:/of/the/image',
      `ANTHROPIC_API_KEY=${API_KEY}`,
      'of two lines',
    ];
    for (const line of expected) assert.ok(seen.includes(line), line);
    assert.not.ok(seen.some((line) => line.startsWith('AGENT_WORKER_')));
    assert.is(
      await container.sh('ls /tmp | grep loaded-by-0 || true'),
      '',
      'what the environment names never runs as root',
    );
    stream.close();
  },
);

agents(
  'an agent’s own commands, reading all they can, find no way to call the worker',
  async ({ client, container }) => {
    const stream = attach(client, { sessionId: 'hostile', create: options(FOLDER) });
    const search = `cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n'; find /csm/home -type f -exec cat {} + 2>/dev/null`;
    stream.prompt(
      'p1',
      `run: { ${search}; } >/tmp/found; grep -c ${API_KEY} /tmp/found; ls /csm/home/worker 2>&1; true`,
    );
    assert.is((await stream.ended('p1')).outcome, 'TURN_OUTCOME_COMPLETED');
    const [keys = '', listing] = stream.all('toolResult')[0]?.summary.split('\n') ?? [];
    assert.ok(Number(keys) > 0, 'its own key is found: the search works');
    const found = await container.sh(`grep -aE '${TOKEN_SHA256}|${TOKEN}' /tmp/found || true`);
    assert.is(found, '');
    assert.match(listing ?? '', /Permission denied/);
    stream.close();
  },
);

agents('a worker that dies in mid-turn comes back with the same log, and the conversation goes on', async (context) => {
  const { client, container, api } = context;
  const first = attach(client, { sessionId: 'crash', create: options(FOLDER) });
  first.prompt('p1', 'say remember the heron');
  const { agentSessionId } = await first.ended('p1');
  first.prompt('p2', 'slow 5, then hold crash');
  await first.wait('turnStarted', (turn) => turn.inputIds.includes('p2'));
  await first.wait('textDelta', (delta) => delta.text.includes('w3'));
  const { logId } = (await first.wait('attached')) ?? {};
  const seq = first.lastSeq();
  const [worker] = await workersOf(container);
  await container.sh(`kill -9 ${worker}`);
  await first.waitForError();
  await until('another worker serves', async () => {
    const [now] = await workersOf(container);
    return (
      now !== undefined &&
      now !== worker &&
      (await container.sh('cat /csm/home/worker/port.* 2>/dev/null || true')) !== ''
    );
  });

  const second = attach(client, { sessionId: 'crash', logId, afterSeq: seq, term: 2 });
  assert.is((await second.wait('attached')).logId, logId);
  assert.is((await second.ended('p2')).outcome, 'TURN_OUTCOME_LOST');
  assert.ok(second.responses.every((response) => response.seq === 0 || response.seq > seq));
  api.gate('crash').open();
  second.prompt('p3', 'say back again');
  const after = await second.ended('p3');
  assert.equal([after.outcome, after.agentSessionId], ['TURN_OUTCOME_COMPLETED', agentSessionId]);
  second.close();
});

agents.run();
