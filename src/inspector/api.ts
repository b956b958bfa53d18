/** What the page asks for: reads, each bounded, and the one thing that changes something. */
import type { FastifyInstance, FastifyReply } from 'fastify';
import { z } from 'zod';
import type { Address } from '../machines/addresses.ts';
import { CHARTS, isKind, KINDS } from './charts/kinds.ts';
import { allNodes, chartModel } from './charts/model.ts';
import type { Pictures } from './charts/pictures.ts';
import type { Live } from './live.ts';
import type { InspectorLog, InspectorRuntime, InspectorStore } from './ports.ts';
import type {
  ActorAnswer,
  ActorsAnswer,
  ErrorAnswer,
  JournalAnswer,
  LettersAnswer,
  OperateAnswer,
  OverviewAnswer,
} from './wire.ts';

export interface ApiOptions {
  readonly store: InspectorStore;
  readonly runtime: InspectorRuntime;
  readonly pictures: Pictures;
  readonly live: Live;
  readonly allowSend: boolean;
  readonly version: string;
  readonly log: InspectorLog;
}

const PAGE = 60;
const WAITING = 50;

const READ_ONLY =
  'This inspector is read-only. Set SM_INSPECTOR_ALLOW_SEND=true and restart the gateway to allow operator actions.';

const addressText = z
  .string()
  .max(600)
  .regex(/^(gateway|container|session|approval)\/./s, 'not an address');
const number = z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const actorQuery = z.object({ address: addressText });
const pageQuery = z.object({ address: addressText, before: number.optional() });
const lettersQuery = z.object({ address: addressText.optional(), before: number.optional() });
const actorsQuery = z.object({
  kind: z.enum(['gateway', 'container', 'session', 'approval']).optional(),
  status: z.enum(['active', 'done', 'parked', 'error']).optional(),
  search: z.string().max(200).default(''),
  before: z
    .string()
    .regex(/^\d{1,15} ./s)
    .optional(),
});
const operateBody = z.object({
  action: z.enum(['retry', 'skip', 'restart', 'stop']),
  address: addressText,
  letter: z.number().int().positive().optional(),
});

const DESCRIBED: OverviewAnswer['kinds'] = KINDS.map((kind) => {
  const { machine, version } = CHARTS[kind];
  return { kind, version, states: allNodes(chartModel(machine).root).map(({ name }) => name) };
});

export function apiRoutes(app: FastifyInstance, options: ApiOptions): void {
  const { store, runtime, pictures, live, log } = options;

  app.get('/api/overview', async (): Promise<OverviewAnswer> => {
    const overview = await store.overview();
    const { leading } = runtime.stats();
    return { ...overview, version: options.version, kinds: DESCRIBED, maySend: options.allowSend, leading };
  });

  app.get('/api/actors', async (request): Promise<ActorsAnswer> => {
    const { kind, status, search, before } = actorsQuery.parse(request.query);
    const [at = '', ...rest] = (before ?? '').split(' ');
    const actors = await store.actors({
      kind,
      status,
      search: search.trim(),
      before: before === undefined ? undefined : { updatedAt: Number(at), address: rest.join(' ') },
      limit: PAGE + 1,
    });
    const shown = actors.slice(0, PAGE);
    const last = shown.at(-1);
    if (actors.length <= PAGE || last === undefined) return { actors: shown };
    return { actors: shown, next: `${last.updatedAt} ${last.address}` };
  });

  app.get('/api/actor', async (request, reply): Promise<ActorAnswer | ErrorAnswer> => {
    const address = actorQuery.parse(request.query).address as Address;
    const [actor, inbox, effects] = await Promise.all([
      store.actor(address),
      store.inbox(address, WAITING),
      store.effects(address, WAITING),
    ]);
    if (actor === undefined) return missing(reply, `There is no actor ${address}.`);
    return { actor, inbox, effects, now: Date.now() };
  });

  app.get('/api/journal', async (request): Promise<JournalAnswer> => {
    const { address, before } = pageQuery.parse(request.query);
    const lines = await store.journal(address as Address, before, PAGE + 1);
    return { lines: lines.slice(0, PAGE), ...next(lines.map(({ rev }) => rev)) };
  });

  app.get('/api/revision', async (request, reply) => {
    const { address, rev } = actorQuery.extend({ rev: number }).parse(request.query);
    const revision = await store.revision(address as Address, rev);
    return (
      revision ?? missing(reply, `The journal has no revision ${rev} of ${address}; old ones are removed in time.`)
    );
  });

  app.get('/api/letters', async (request): Promise<LettersAnswer> => {
    const { address, before } = lettersQuery.parse(request.query);
    const letters = await store.letters(address as Address | undefined, before, PAGE + 1);
    return { letters: letters.slice(0, PAGE), ...next(letters.map(({ id }) => id)) };
  });

  app.get<{ Params: { file: string } }>('/api/charts/:file', async (request, reply) => {
    const kind = request.params.file.replace(/\.svg$/, '');
    if (!isKind(kind)) return missing(reply, 'There is no such chart.');
    const { svg, etag } = await pictures.of(kind);
    reply.header('etag', etag).header('cache-control', 'no-cache');
    if (request.headers['if-none-match'] === etag) return reply.code(304).send();
    return reply.type('image/svg+xml').send(svg);
  });

  app.get('/api/events', (_request, reply) => {
    reply.raw.setHeader('content-type', 'text/event-stream');
    reply.raw.setHeader('cache-control', 'no-store');
    reply.raw.setHeader('x-accel-buffering', 'no');
    reply.hijack();
    if (live.add(reply.raw)) return;
    reply.raw.statusCode = 503;
    reply.raw.end();
  });

  app.post('/api/operate', async (request, reply): Promise<OperateAnswer | ErrorAnswer> => {
    if (!options.allowSend) return reply.code(403).send({ error: READ_ONLY });
    const { action, address, letter } = operateBody.parse(request.body);
    const by = `inspector from ${request.ip}`;
    const asked = { action, address: address as Address, by, ...(letter === undefined ? {} : { letter }) };
    const result = await runtime.operate(asked);
    log.info({ ...asked, ...result }, 'inspector: operator action');
    return result;
  });
}

function missing(reply: FastifyReply, error: string): ErrorAnswer {
  reply.code(404);
  return { error };
}

function next(keys: readonly number[]): { readonly next?: number } {
  const last = keys[PAGE - 1];
  return keys.length > PAGE && last !== undefined ? { next: last } : {};
}
