/** `diff` and `logs`: what the session's workspace says, asked through its worker. */
import { type EffectHandlers, TerminalError } from '../actors/index.ts';
import type { MattermostRest } from '../adapters/mattermost/index.ts';
import type { WorkspaceView } from '../adapters/worker/workspace.ts';
import { diffReport, logsText } from '../chat/workspace.ts';
import type { Posting } from './posting.ts';
import type { Answer, Reply } from './reply.ts';

export interface WorkspaceReportPorts {
  readonly workspace: WorkspaceView;
  readonly rest: MattermostRest;
  readonly posting: Posting;
  readonly reply: Reply;
}

export function workspaceReportHandlers({ workspace, rest, posting, reply }: WorkspaceReportPorts) {
  return {
    'chat.diff': async ({ key, actor, params }) => {
      const { session, place } = params;
      const answer = await orWords(async () => {
        const [status, diff, unpushed] = await Promise.all([
          workspace.git(session, 'status'),
          workspace.git(session, 'diff'),
          workspace.git(session, 'unpushed'),
        ]);
        const { message, file } = diffReport({ status: status.output, diff, unpushed: unpushed.output });
        if (file === undefined) return { message };
        const bytes = Buffer.from(file.content);
        const upload = { channelId: place.channelId, name: file.name, bytes, mimeType: 'text/x-diff' };
        const { id } = await posting.call('final', () => rest.uploadFile(upload));
        return { message, fileIds: [id] };
      });
      return reply(key, actor, params, answer);
    },
    'chat.logs': async ({ key, actor, params }) => {
      const { session, lines } = params;
      const answer = await orWords(async () => ({ message: logsText(await workspace.logs(session, lines)) }));
      return reply(key, actor, params, answer);
    },
  } satisfies EffectHandlers;
}

/** A command is always answered: with why it did not work, if trying again would be of no use. */
async function orWords(work: () => Promise<Answer>): Promise<Answer | string> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof TerminalError)) throw error;
    return `⚠️ ${error.human ?? error.message}`;
  }
}
