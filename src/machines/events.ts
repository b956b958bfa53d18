import type { JsonObject } from './json.ts';

/**
 * An event as charts see it: plain JSON, with the time it was seen at the edge. Charts know no clock of their own.
 * The events of each kind are declared beside its chart.
 */
export interface ChartEvent extends JsonObject {
  readonly type: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}
