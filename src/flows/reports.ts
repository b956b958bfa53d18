/** Texts made from what is stored: `status`, `context`, `help`, and the answer to `stop <prefix>`. */
import type { ActorSummary, ActorView, Runtime, StorePorts } from '../actors/index.ts';
import { type ContextView, contextText } from '../chat/context.ts';
import { helpText } from '../chat/help.ts';
import { type ContainerLine, statusText } from '../chat/status.ts';
import { stopByPrefixText } from '../chat/texts.ts';
import { type Address, keyOf } from '../machines/addresses.ts';
import type { ContainerContext } from '../machines/container/context.ts';
import type { SessionContext } from '../machines/session/context.ts';

export interface Reports {
  help(inThread: boolean): string;
  status(): Promise<string>;
  context(session: Address): Promise<string>;
  stopped(prefix: string, matches: readonly ActorSummary[]): string;
}
