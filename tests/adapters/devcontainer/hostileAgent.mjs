// Run in a container as the agent's user: everything it could try against the worker. Prints one line of JSON.
// node hostileAgent.mjs GRPC_MODULE PORT WORKER_PID GUESSES...

import { closeSync, openSync, readdirSync, readFileSync, readSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const [module, port, worker, ...guesses] = process.argv.slice(2);
const { Client, credentials, Metadata, status } = createRequire(import.meta.url)(module);

const METHODS = ['Session', 'ListSessions', 'Describe', 'Probe', 'RunGit', 'GetFile', 'ReadLogs'];
const answers = [];
const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
for (const guess of [undefined, ...guesses]) {
  const metadata = new Metadata();
  if (guess !== undefined) metadata.set('authorization', guess);
  for (const method of METHODS) {
    answers.push(
      await new Promise((resolve) => {
        const plain = (value) => value;
        client.makeUnaryRequest(
          `/claude_agent.v1.AgentWorkerService/${method}`,
          plain,
          plain,
          Buffer.alloc(0),
          metadata,
          (error) => resolve(error ? status[error.code] : 'OK'),
        );
      }),
    );
  }
}
client.close();

function attempt(action) {
  try {
    action();
    return 'done';
  } catch (error) {
    return error.code;
  }
}

const attempts = {
  environ: attempt(() => readFileSync(`/proc/${worker}/environ`)),
  memory: attempt(() => readSync(openSync(`/proc/${worker}/mem`, 'r'), Buffer.alloc(8), 0, 8, 4096)),
  descriptors: attempt(() => readdirSync(`/proc/${worker}/fd`)),
  stdin: attempt(() => readFileSync(`/proc/${worker}/fd/0`)),
  folder: attempt(() => readdirSync('/csm/home/worker')),
  state: attempt(() => writeFileSync('/csm/home/worker/state/planted', '')),
  besideIt: attempt(() => symlinkSync('/etc', '/csm/home/planted')),
  attachments: attempt(() => symlinkSync('/etc', '/csm/home/attachments/planted')),
  bundle: attempt(() => closeSync(openSync(`/csm/worker/linux-${process.arch}-glibc/bin/agent-worker`, 'r+'))),
  kill: attempt(() => process.kill(Number(worker), 'SIGKILL')),
};
process.stdout.write(`${JSON.stringify({ uid: process.getuid(), answers, attempts })}\n`);
