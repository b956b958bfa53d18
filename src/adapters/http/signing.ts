import { createHmac, timingSafeEqual } from 'node:crypto';

export interface SigningKeys {
  readonly secret: string;
  /** Tells apart gateways that share a secret. */
  readonly instance: string;
}

/** What one button of a card stands for. */
export interface Action {
  /** Address of the approval. */
  readonly approval: string;
  readonly action: string;
  /** Counts the cards of one approval: an earlier card's buttons stop working when a new one is posted. */
  readonly generation: number;
}

export interface SignedAction extends Action {
  readonly mac: string;
}

/**
 * Proves that a button was made by us: anyone can post a card with any context that calls our address. It says nothing
 * about who clicked, and anyone who can read the context (newer servers show it when a card is deleted) can send it
 * again: whoever takes a decision must still check the card's post, the person, and that it is the first.
 *
 * @returns 64 hex digits
 */
export function signAction({ secret, instance }: SigningKeys, { approval, action, generation }: Action): string {
  const text = JSON.stringify(['button', instance, approval, action, generation]);
  return createHmac('sha256', secret).update(text).digest('hex');
}

/** Compares in constant time. */
export function verifyAction(keys: SigningKeys, signed: SignedAction): boolean {
  const expected = Buffer.from(signAction(keys, signed), 'utf8');
  const given = Buffer.from(signed.mac, 'utf8');
  return given.length === expected.length && timingSafeEqual(given, expected);
}
