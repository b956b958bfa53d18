/**
 * What the API answers, read strictly: a list of entries is only believed if the answer is whole, because what is written
 * back is made of it. Shapes as of OPNsense 24.1 to 26.1.
 */
import { z } from 'zod';
import { garbledError, wrongAlias } from './errors.ts';

/** An unknown name is answered with an empty array. */
export const uuidAnswer = z.union([
  z.object({ uuid: z.string().regex(/^[0-9a-fA-F-]{36}$/) }),
  z.array(z.never()).length(0),
]);

const choices = z.record(
  z.string(),
  z.object({ selected: z.union([z.literal([0, 1]), z.literal(['0', '1'])]).transform(Number) }),
);

/** An unknown uuid is answered with an empty array, or without the usual fields. */
export const itemAnswer = z.union([
  z.object({
    alias: z.object({
      name: z.string(),
      enabled: z.literal(['0', '1']),
      type: choices,
      content: choices,
    }),
  }),
  z.array(z.never()).length(0),
]);

export type Item = Extract<z.infer<typeof itemAnswer>, { alias: unknown }>;

const validations = z.record(z.string(), z.union([z.string(), z.array(z.string())]));

export const saveAnswer = z.object({
  result: z.string(),
  uuid: z.string().optional(),
  validations: validations.optional(),
});

export const reconfigureAnswer = z.object({ status: z.string() });

export const tableAnswer = z.object({
  total: z.number(),
  rows: z.array(z.object({ ip: z.string() })),
});

/** The entries of an alias, in the server's order. @throws if it is not ours to change, or may be incomplete */
export function entriesOf(item: Item, alias: string): readonly string[] {
  const { name, enabled, type, content } = item.alias;
  if (name !== alias) throw wrongAlias(alias, 'the API answered with another alias');
  if (type.host?.selected !== 1) throw wrongAlias(alias, 'it is not of type Host(s)');
  if (enabled !== '1') throw wrongAlias(alias, 'it is disabled');
  const chosen = Object.keys(content).filter((entry) => content[entry]?.selected === 1);
  // An empty alias says so with one chosen entry without a name. Nothing chosen at all is an answer that lacks something.
  if (chosen.length === 0) throw garbledError('getItem', 'an alias without content');
  return chosen.filter((entry) => entry !== '');
}
