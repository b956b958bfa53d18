/**
 * What the threads hear while a step runs: its progress, and that the VM cannot be reached. Told to the container's chart,
 * which passes it on to everybody who waits; at most one sentence in a while, and never the same one twice in a row.
 */
import type { EffectContext, InboxItem } from '../../actors/index.ts';
import { type Address, kindOf } from '../../machines/addresses.ts';
import type { VmWorkspace } from './ports.ts';
import { type Wanted, whileWanted } from './wanted.ts';

export type Say = (sentence: string) => void;

const EVERY_MS = 3_000;
/** Longer than connecting again usually takes. */
const VM_PATIENCE_MS = 5_000;

type Ports = Pick<VmWorkspace, 'runtime' | 'vmState' | 'now'>;

interface Asked {
  readonly key: string;
  readonly actor: Address;
  readonly attempt: number;
  /** Generation of the container, if a container asks. */
  readonly params: object;
}

function generationIn(params: object): number {
  return 'generation' in params && typeof params.generation === 'number' ? params.generation : 0;
}

/**
 * A long step: its news are told, and it is aborted when nobody wants it any more.
 * @throws what the step throws, and TerminalError NOT_WANTED
 */
export function longStep<Result>(
  ports: Ports,
  request: Asked,
  context: EffectContext,
  isWanted: Wanted['isWanted'],
  step: (say: Say, signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const wanted = { actor: request.actor, isWanted };
  return withNews(ports, request, context, (say) => whileWanted(ports, wanted, context, (signal) => step(say, signal)));
}

/** Runs a step whose news are told. What cannot be told is logged: news are worth nothing later. */
export async function withNews<Result>(
  ports: Ports,
  { key, actor, attempt, params }: Asked,
  { log, signal }: EffectContext,
  step: (say: Say) => Promise<Result>,
): Promise<Result> {
  let count = 0;
  const deliver = (text: string): void => {
    count += 1;
    const event =
      kindOf(actor) === 'container'
        ? { type: 'STEP.PROGRESS', at: ports.now(), generation: generationIn(params), text }
        : { type: 'CONTAINER.PROGRESS', at: ports.now(), text };
    const item: InboxItem = { to: actor, event, dedupKey: `${key}/news/${attempt}/${ports.now()}/${count}` };
    ports.runtime.deliver([item]).catch((error: unknown) => {
      if (!signal.aborted) log.warn({ err: error, actor }, 'progress could not be told');
    });
  };
  const news = createNews(deliver, ports.now);
  const watch = setInterval(() => {
    const { up, since, reason } = ports.vmState();
    if (!up && ports.now() - since > VM_PATIENCE_MS) news.say(`${reason} Waiting for the VM …`);
  }, VM_PATIENCE_MS);
  try {
    return await step(news.say);
  } finally {
    clearInterval(watch);
    news.end();
  }
}

/** The first sentence at once, then at most one in a while; of those in between the last counts. */
export function createNews(
  tell: (sentence: string) => void,
  now: () => number,
  everyMs = EVERY_MS,
): { readonly say: Say; end(): void } {
  let told = '';
  let toldAt = Number.NEGATIVE_INFINITY;
  let waiting = '';
  let timer: NodeJS.Timeout | undefined;
  const flush = (): void => {
    timer = undefined;
    if (waiting === told) return;
    told = waiting;
    toldAt = now();
    tell(told);
  };
  return {
    say: (sentence) => {
      waiting = sentence;
      timer ??= setTimeout(flush, Math.max(0, toldAt + everyMs - now()));
    },
    end: () => clearTimeout(timer),
  };
}
