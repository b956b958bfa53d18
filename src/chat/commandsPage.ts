/** The page of the documentation that lists all commands, made from the table that they are read with. */
import type { CommandSpec } from './commandSpec.ts';
import { COMMANDS } from './commandTable.ts';
import { tableRow, WHO_MAY } from './help.ts';

const INTRO = `# Commands

Written in Mattermost, behind the bot's name (\`SM_BOT_TRIGGER\`, here \`@claude\`). This page is made from the table in
\`src/chat/commandTable.ts\`; \`@claude help\` shows what applies where it is written, \`@claude help <command>\` all about one.

- In a session's thread everything else is said to Claude. While it works, messages wait their turn (⏳); edit or delete the post to
  change one or take it back, \`steer\` to hand it over at once.
- At top level of a project channel, what is written goes to its session if exactly one runs there.
- Below the post that asked for a session, whose own thread is elsewhere, \`stop\` acts, \`retry\` too if it
  got no thread, and everything else is answered with the way to that thread.
- \`@claude /name arguments\` hands a command to Claude Code. Case does not count, and what is mistyped is answered with what was
  probably meant. Editing a post never runs a command.`;

const SECTIONS: readonly (readonly [heading: string, where: CommandSpec['where']])[] = [
  ['Everywhere', 'both'],
  ['In the thread of a session', 'thread'],
  ['At top level', 'top'],
];

export function commandsMarkdown(): string {
  const sections = SECTIONS.flatMap(([heading, where]) => {
    const specs = COMMANDS.filter((spec) => spec.where === where);
    if (specs.length === 0) return [];
    return [`## ${heading}`, ['| Command | What it does |', '|:--|:--|', ...specs.flatMap(rowsOf)].join('\n')];
  });
  return [INTRO, ...sections].join('\n\n');
}

const PLACES = { top: ' (at top level)', thread: ' (in a thread)' } as const;

function rowsOf({ usage, aliases, who }: CommandSpec): string[] {
  return usage.map(({ syntax, help, in: place }, index) => {
    const also =
      index > 0 || aliases.length === 0 ? '' : ` Also written ${aliases.map((alias) => `\`${alias}\``).join(', ')}.`;
    const may = who === 'everyone' || index > 0 ? '' : ` ${WHO_MAY[who]}`;
    return tableRow(syntax, `${help}${place === undefined ? '' : PLACES[place]}.${also}${may}`);
  });
}
