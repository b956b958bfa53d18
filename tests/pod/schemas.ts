/**
 * Kubernetes' own schemas, from the npm package `kubernetes-models`: its compiled validators check values and what is required;
 * its types, through the compiler, find fields that do not exist (the API server would drop those without a word).
 */
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import type { Manifest } from './kustomize.ts';

const VIRTUAL = fileURLToPath(new URL('manifests.virtual.ts', import.meta.url));

export async function valueProblems(manifests: readonly Manifest[]): Promise<string[]> {
  const problems: string[] = [];
  for (const manifest of manifests) {
    const { kind, metadata } = manifest;
    const module = (await import(modelOf(manifest))) as Record<string, new (data: object) => { validate(): void }>;
    const Model = module[kind];
    if (Model === undefined) throw new Error(`no schema of a ${kind}`);
    try {
      new Model(manifest).validate();
    } catch (error) {
      problems.push(`${kind} ${metadata.name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return problems;
}

export function fieldProblems(manifests: readonly Manifest[]): string[] {
  const text = manifests
    .map((manifest, index) => {
      const { kind } = manifest;
      return [
        `import type { I${kind} as Kind${index} } from '${modelOf(manifest)}';`,
        `export const manifest${index}: Kind${index} = ${JSON.stringify(manifest)};`,
      ].join('\n');
    })
    .join('\n');
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    types: [],
  };
  const host = ts.createCompilerHost(options);
  const { fileExists, getSourceFile } = host;
  host.fileExists = (name) => name === VIRTUAL || fileExists(name);
  host.getSourceFile = (name, ...rest) =>
    name === VIRTUAL ? ts.createSourceFile(name, text, ts.ScriptTarget.ES2022) : getSourceFile(name, ...rest);
  const program = ts.createProgram([VIRTUAL], options, host);
  return ts.getPreEmitDiagnostics(program).map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
}

function modelOf({ apiVersion, kind }: Manifest): string {
  return `kubernetes-models/${apiVersion}/${kind}`;
}
