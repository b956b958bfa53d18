/**
 * What a thread consists of: notes, and agent turns made of segments made of items. A segment ends where a person was
 * heard or a card was posted, so that later text stands below it.
 */
import type { Bodies, NoteTone, TodoItem, TurnEndedBody } from '../transcript.ts';
import type { ToolCall } from './tools.ts';

export interface TextItem {
  readonly type: 'text';
  readonly blockId: string;
  text: string;
  /** Nothing more comes of its block. */
  whole: boolean;
}

export interface RunItem {
  readonly type: 'run';
  readonly calls: ToolCall[];
}

export interface LineItem {
  readonly type: 'line';
  readonly text: string;
}

export type Item = TextItem | RunItem | LineItem;

export interface Segment {
  readonly order: number;
  readonly items: Item[];
}

/** What the agent is doing while nothing is to be seen of it. */
export type Activity =
  | { readonly type: 'working' | 'thinking' | 'writing' | 'compacting' | 'waiting' | 'unfollowed'; readonly at: number }
  | { readonly type: 'retrying'; readonly at: number; readonly body: Bodies['retrying'] };

export interface Turn {
  readonly type: 'turn';
  readonly turnId: string;
  readonly order: number;
  /** When it began. */
  readonly at: number;
  readonly segments: Segment[];
  activity: Activity;
  todos: readonly TodoItem[];
  rateLimit: Bodies['rateLimit'] | null;
  ended: TurnEndedBody | null;
}

export interface Note {
  readonly type: 'note';
  readonly note: string;
  readonly order: number;
  tone: NoteTone;
  text: string;
}

export interface OfferedFile {
  readonly type: 'file';
  readonly order: number;
  readonly path: string;
  readonly size: number;
}

export interface ThreadModel {
  readonly turns: Turn[];
  readonly notes: Map<string, Note>;
  readonly files: OfferedFile[];
}

export function lastSegment(turn: Turn): Segment {
  const segment = turn.segments.at(-1);
  if (segment === undefined) throw new Error('A turn always has a segment');
  return segment;
}
