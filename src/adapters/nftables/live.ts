/** What is in force, read back from nft. */
import { z } from 'zod';
import { RetryableError } from '../../actors/index.ts';

const value = z.union([z.string(), z.number()]);
const concat = z.object({ concat: z.array(value) });
const member = z.union([concat, z.object({ elem: z.object({ val: concat }) })]);

const listing = z.object({
  nftables: z.array(
    z.object({
      set: z.object({ name: z.string(), elem: z.array(member).optional() }).optional(),
      rule: z.object({ chain: z.string() }).optional(),
    }),
  ),
});

export interface Live {
  /** `source address port` or `address port`, sorted. */
  readonly ways: readonly string[];
  /** Rules in all chains of the table. */
  readonly rules: number;
}

/** @throws RetryableError if it is not what `nft -j list table` prints */
export function parseLive(stdout: string): Live {
  const read = listing.safeParse(jsonOf(stdout));
  if (!read.success) throw new RetryableError('NFT_ANSWER', `nft -j: ${z.prettifyError(read.error)}`);
  const ways = read.data.nftables.flatMap(({ set }) =>
    (set?.elem ?? []).map((element) => ('elem' in element ? element.elem.val : element).concat.join(' ')),
  );
  return { ways: ways.sort(), rules: read.data.nftables.filter(({ rule }) => rule !== undefined).length };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new RetryableError('NFT_ANSWER', 'nft -j: not JSON', { cause });
  }
}
