/**
 * The gateway's entry as a program for Node alone. A process that is started hundreds of times should not translate itself each
 * time: that takes longer than all it does besides.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

const FILES = ['gateway', 'armedGateway', 'sabotage'] as const;

/** Where the compiled product is: `npm run build` makes it. */
export const DIST = new URL('../../dist/', import.meta.url).href;

/** @returns what Node is to be started with; the armed one lies beside it. */
export function writeGatewayProgram(folder: string): string {
  mkdirSync(folder);
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  for (const name of FILES) {
    const source = readFileSync(new URL(`./${name}.ts`, import.meta.url), 'utf8');
    const { outputText } = ts.transpileModule(source, {
      compilerOptions: {
        module: ts.ModuleKind.ESNext,
        target: ts.ScriptTarget.ES2023,
        rewriteRelativeImportExtensions: true,
      },
    });
    writeFileSync(join(folder, `${name}.js`), outputText);
  }
  return join(folder, 'gateway.js');
}
