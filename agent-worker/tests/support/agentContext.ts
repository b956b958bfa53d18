// A worker with the real Claude Code and the simulated model API, for the tests of one file.
import { join } from 'node:path';
import type { Test } from 'uvu';
import { type ModelApi, startModelApi } from '../../../simulator/src/model/index.ts';
import type { AgentWorkerServiceClient, ApprovalRequest, Decision } from '../../src/generated/claude_agent/v1/agent.ts';
import { connect, type TestStream } from './client.ts';
import { makePlace, type Place, startWorkerProcess, type WorkerProcess } from './workerProcess.ts';

export interface AgentContext {
  api: ModelApi;
  place: Place;
  worker: WorkerProcess;
  client: AgentWorkerServiceClient;
  /** What the model was asked, one exchange a line. */
  modelLog: string;
}

/** Starts everything before the first test of the suite and ends it after the last. */
export function withAgent(test: Test<AgentContext>, args: readonly string[] = []): void {
  test.before(async (context) => {
    context.place = makePlace();
    context.modelLog = join(context.place.root, 'model.ndjson');
    context.api = await startModelApi({ slowDelayMs: 20, log: context.modelLog });
    const env = { AGENT_WORKER_LOG_LEVEL: 'debug' };
    context.worker = await startWorkerProcess({ place: context.place, modelUrl: context.api.url, args, env });
    context.client = connect(context.worker.port);
  });
  test.after(async (context) => {
    context.client.close();
    await context.worker.stop();
    await context.api.close();
    context.place.remove();
  });
}

/** Answers an approval request. */
export function decide(
  stream: TestStream,
  request: ApprovalRequest,
  outcome: Decision['outcome'],
  more: Partial<Decision> = {},
): void {
  stream.send({
    $case: 'decision',
    value: {
      inputId: `decision-${request.requestId}`,
      requestId: request.requestId,
      inputDigest: request.inputDigest,
      outcome,
      message: '',
      answers: {},
      proven: false,
      ...more,
    },
  });
}

/** Waits for the start of the turn that answers the input; returns its id. */
export async function turnOf(stream: TestStream, inputId: string): Promise<string> {
  return (await stream.wait('turnStarted', (turn) => turn.inputIds.includes(inputId))).turnId;
}
