/** Charts for other programs and for documents: `csm charts`. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ActorKind } from '../../machines/addresses.ts';
import { PAGE_FOLDER } from '../pageFolder.ts';
import { configJson } from './configJson.ts';
import { chartGraph } from './graph.ts';
import { CHARTS } from './kinds.ts';
import { layOut } from './layout.ts';
import { chartMermaid } from './mermaid.ts';
import { chartModel } from './model.ts';
import { chartSvg } from './svg.ts';

export const CHART_FORMATS = ['json', 'mermaid', 'svg'] as const;
export type ChartFormat = (typeof CHART_FORMATS)[number];

const EXTENSIONS: Readonly<Record<ChartFormat, string>> = { json: 'json', mermaid: 'mmd', svg: 'svg' };

/** The same chart gives the same text, always. */
export async function chartText(kind: ActorKind, format: ChartFormat): Promise<string> {
  const { machine, version } = CHARTS[kind];
  switch (format) {
    case 'json':
      return configJson(machine);
    case 'mermaid':
      return chartMermaid(chartModel(machine));
    case 'svg': {
      const style = readFileSync(new URL('chart.css', PAGE_FOLDER), 'utf8');
      const placed = await layOut(chartGraph(chartModel(machine)));
      return chartSvg(placed, { title: `${kind}, version ${version}`, style });
    }
  }
}

/** Writes `<folder>/<kind>.<extension>`. @returns the paths. */
export async function writeCharts(kinds: readonly ActorKind[], format: ChartFormat, folder: string): Promise<string[]> {
  mkdirSync(folder, { recursive: true });
  const paths: string[] = [];
  for (const kind of kinds) {
    const path = join(folder, `${kind}.${EXTENSIONS[format]}`);
    writeFileSync(path, await chartText(kind, format));
    paths.push(path);
  }
  return paths;
}
