/** The pictures of the page: each chart is laid out once per process, when somebody first looks, and then kept. */
import { createHash } from 'node:crypto';
import type { ActorKind } from '../../machines/addresses.ts';
import { chartGraph } from './graph.ts';
import { CHARTS } from './kinds.ts';
import { layOut } from './layout.ts';
import { chartModel } from './model.ts';
import { chartSvg } from './svg.ts';

export interface Picture {
  readonly svg: string;
  readonly etag: string;
}

export interface Pictures {
  of(kind: ActorKind): Promise<Picture>;
}

export function createPictures(): Pictures {
  const drawn = new Map<ActorKind, Promise<Picture>>();
  return {
    of(kind) {
      let picture = drawn.get(kind);
      if (picture === undefined) {
        picture = draw(kind);
        drawn.set(kind, picture);
        // Whoever waits is told; the next one who asks lets it be tried again.
        picture.catch(() => drawn.delete(kind));
      }
      return picture;
    },
  };
}

async function draw(kind: ActorKind): Promise<Picture> {
  const { machine, version } = CHARTS[kind];
  const svg = chartSvg(await layOut(chartGraph(chartModel(machine))), { title: `${kind}, version ${version}` });
  return { svg, etag: `"${createHash('sha256').update(svg).digest('base64url').slice(0, 22)}"` };
}
