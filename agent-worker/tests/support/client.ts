// The gateway's side of one session, as tests need it: everything that came, and waiting for what should come.
import { type ClientDuplexStream, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import {
  AgentWorkerServiceClient,
  PermissionMode,
  type SessionOptions,
  type SessionRequest,
  type SessionResponse,
  ToolDecision,
} from '../../src/generated/claude_agent/v1/agent.ts';
import type { Output } from '../../src/mapping/state.ts';
import { until } from './until.ts';
import { TOKEN } from './workerProcess.ts';

type Case = Output['$case'];
type Values = { [K in Case]: Extract<Output, { $case: K }>['value'] };
type ValueOf<C extends Case> = Values[C];

export function connect(port: number): AgentWorkerServiceClient {
  return new AgentWorkerServiceClient(`127.0.0.1:${port}`, credentials.createInsecure(), {
    'grpc.max_receive_message_length': 16 * 1024 * 1024,
    'grpc.max_send_message_length': 16 * 1024 * 1024,
  });
}

export function bearer(token = TOKEN): Metadata {
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${token}`);
  return metadata;
}

export function options(cwd: string, more: Partial<SessionOptions> = {}): SessionOptions {
  return {
    cwd,
    permissionMode: PermissionMode.DEFAULT,
    env: {},
    systemPromptAppend: '',
    resumeId: '',
    model: '',
    maxTurns: 0,
    spendingEveryMs: 0,
    toolPolicy: { otherwise: ToolDecision.ALLOW, allow: [], ask: [], deny: [] },
    ...more,
  };
}

export interface AttachOptions {
  sessionId?: string;
  logId?: string;
  afterSeq?: number;
  term?: number;
  create?: SessionOptions;
}

export interface TestStream {
  responses: SessionResponse[];
  error(): ServiceError | undefined;
  send(request: NonNullable<SessionRequest['request']>): void;
  prompt(inputId: string, text: string, steer?: boolean): void;
  /** The values of one kind, in order. */
  all<C extends Case>(kind: C): ValueOf<C>[];
  /** The first value of that kind that fits, waited for. */
  wait<C extends Case>(kind: C, fits?: (value: ValueOf<C>) => boolean): Promise<ValueOf<C>>;
  /** The end of the turn that answered the input. */
  ended(inputId: string): Promise<ValueOf<'turnEnded'>>;
  lastSeq(): number;
  /** All text of finished blocks. */
  said(): string;
  waitForError(): Promise<ServiceError>;
  close(): void;
}

export function attach(client: AgentWorkerServiceClient, at: AttachOptions = {}): TestStream {
  const call = client.session(bearer());
  const stream = wrap(call);
  stream.send({
    $case: 'attach',
    value: {
      sessionId: at.sessionId ?? 'session-1',
      logId: at.logId ?? '',
      afterSeq: at.afterSeq ?? 0,
      term: at.term ?? 1,
      create: at.create,
    },
  });
  return stream;
}

export function wrap(call: ClientDuplexStream<SessionRequest, SessionResponse>): TestStream {
  const responses: SessionResponse[] = [];
  let error: ServiceError | undefined;
  call.on('data', (response: SessionResponse) => responses.push(response));
  call.on('error', (failed: ServiceError) => {
    error = failed;
  });

  function all<C extends Case>(kind: C): ValueOf<C>[] {
    return responses
      .filter(({ response }) => response?.$case === kind)
      .map(({ response }) => response?.value as ValueOf<C>);
  }
  async function wait<C extends Case>(kind: C, fits: (value: ValueOf<C>) => boolean = () => true) {
    let found: ValueOf<C> | undefined;
    await until(`${kind} comes; so far: ${JSON.stringify(responses.map((one) => one.response?.$case))}`, () => {
      found = all(kind).find(fits);
      if (!found && error) throw new Error(`the stream ended: ${error.message}`);
      return found !== undefined;
    });
    if (!found) throw new Error('unreachable');
    return found;
  }

  const stream: TestStream = {
    responses,
    error: () => error,
    send: (request) => call.write({ request }),
    prompt: (inputId, text, steer = false) =>
      stream.send({ $case: 'prompt', value: { inputId, text, author: '', attachments: [], steer, notice: '' } }),
    all,
    wait,
    ended: (inputId) => wait('turnEnded', (turn) => turn.inputIds.includes(inputId)),
    lastSeq: () => Math.max(0, ...responses.map((response) => response.seq)),
    said: () =>
      all('textBlock')
        .map((block) => block.text)
        .join('\n'),
    async waitForError() {
      await until('the stream ends with an error', () => error !== undefined);
      if (!error) throw new Error('unreachable');
      return error;
    },
    close: () => call.cancel(),
  };
  return stream;
}
