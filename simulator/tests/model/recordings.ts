import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

/** An exchange between the real Claude Code and a scripted model API, as recorded; texts are shortened. */
export interface RecordedExchange {
  file: string;
  n: number;
  path: string;
  headers: Record<string, string>;
  body: Record<string, unknown>;
  status: number;
  sse: { event: string; data: Record<string, unknown> }[] | undefined;
  whole: Record<string, unknown> | undefined;
  cut: boolean;
}

const json = z.record(z.string(), z.unknown());
const line = z.object({
  n: z.number(),
  request: z.object({ path: z.string(), headers: z.record(z.string(), z.string()), body: json }),
  response: z.object({
    status: z.number(),
    sse: z.array(z.object({ event: z.string(), data: json })).optional(),
    body: json.optional(),
    cut_by_server: z.unknown().optional(),
    closed_by_client: z.unknown().optional(),
  }),
});
const reference = z.object({ _same_as_exchange: z.number() });

/** All recorded exchanges, with the references between them resolved. */
export function readRecordings(): RecordedExchange[] {
  const folder = fileURLToPath(new URL('recordings/', import.meta.url));
  return readdirSync(folder).flatMap((file) => readRecording(file, readFileSync(`${folder}${file}`, 'utf8')));
}

function readRecording(file: string, text: string): RecordedExchange[] {
  const bodies = new Map<number, Record<string, unknown>>();
  return text
    .trim()
    .split('\n')
    .map((source) => {
      const { n, request, response } = line.parse(JSON.parse(source));
      const body = resolve(request.body, bodies);
      bodies.set(n, body);
      return {
        file,
        n,
        path: request.path,
        headers: request.headers,
        body,
        status: response.status,
        sse: response.sse,
        whole: response.body,
        cut: response.cut_by_server !== undefined || response.closed_by_client !== undefined,
      };
    });
}

function resolve(body: Record<string, unknown>, bodies: Map<number, Record<string, unknown>>): Record<string, unknown> {
  const resolved = { ...body };
  for (const key of ['tools', 'system']) {
    const there = reference.safeParse(body[key]);
    if (there.success) resolved[key] = bodies.get(there.data._same_as_exchange)?.[key];
  }
  const messages = z.array(json).parse(body.messages);
  resolved.messages = messages.map((message, index) => {
    const there = reference.safeParse(message);
    if (!there.success) return message;
    return z.array(json).parse(bodies.get(there.data._same_as_exchange)?.messages)[index];
  });
  return resolved;
}
