/**
 * Named points where tests make the process die, wait or throw.
 *
 * | point | the race it opens |
 * |---|---|
 * | `after-decide` | decided, not committed: the decision must be lost without a trace |
 * | `after-commit` | committed, nothing carried out: effects and tasks must start after the restart |
 * | `after-effect` | carried out, outcome not recorded: the effect runs again under the same key |
 * | `before-ack` | taken into the inbox, source not told: the source delivers again, nothing happens twice |
 */
export type FaultPoint = 'after-decide' | 'after-commit' | 'after-effect' | 'before-ack';

export type FaultPoints = (point: FaultPoint) => void | Promise<void>;
