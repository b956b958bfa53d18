/** What a command is: one declaration, from which dispatch, help and the nearest match come. */
import { accept, type Parsed, refuse } from './commandError.ts';
import type { BareGatewayCommand, BareSessionCommand, CommandPlace } from './events.ts';
import type { RepoNaming } from './repoRef.ts';

/** What a command means and who is told. */
export type CommandRoute =
  | { readonly to: 'gateway'; readonly command: BareGatewayCommand }
  | { readonly to: 'session'; readonly command: BareSessionCommand };

export interface CommandSettings extends RepoNaming {
  /** What commands start with, e.g. `@claude`. */
  readonly trigger: string;
}

export interface CommandInput {
  /** Everything after the command's word, trimmed. */
  readonly rest: string;
  readonly place: CommandPlace;
  /** The whole post, trimmed. */
  readonly text: string;
  readonly settings: CommandSettings;
}

export interface CommandSpec {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly where: CommandPlace | 'both';
  /** Of those who may use the bot: all, only who started the session and the named approvers, or only those approvers. */
  readonly who: 'everyone' | 'starter' | 'approver';
  /** Ways to write it, without the trigger, each with what that way does. `in` limits it to one place. */
  readonly usage: readonly { readonly syntax: string; readonly help: string; readonly in?: CommandPlace }[];
  readonly parse: (input: CommandInput) => Parsed<CommandRoute>;
}

/** For commands that take nothing. */
export function alone(input: CommandInput, word: string, route: CommandRoute): Parsed<CommandRoute> {
  if (input.rest === '') return accept(route);
  return refuse(
    `${word} takes no arguments`,
    `\`${word}\` stands alone: write \`${input.settings.trigger} ${word}\`. To talk to Claude, write without \`${input.settings.trigger}\`.`,
  );
}

export function isAllowedAt(spec: CommandSpec, place: CommandPlace): boolean {
  return spec.where === 'both' || spec.where === place;
}
