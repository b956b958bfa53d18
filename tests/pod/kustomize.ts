/** What `kubectl apply -k` would send, without a cluster. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';

export const DEPLOY = fileURLToPath(new URL('../../deploy/kubernetes', import.meta.url));

export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly [field: string]: unknown;
}

/** Renders a folder below deploy/kubernetes. Needs a kubectl of 1.21 or newer: older ones know no components. */
export function render(folder: string): Manifest[] {
  return renderAt(join(DEPLOY, folder));
}

/** Renders the example with components, as a person would who takes away the comment signs. */
export function renderWith(...components: readonly string[]): Manifest[] {
  const copy = mkdtempSync(join(tmpdir(), 'csm-deploy-'));
  try {
    cpSync(DEPLOY, copy, { recursive: true });
    const overlay = join(copy, 'overlays/more');
    cpSync(join(copy, 'overlays/example'), overlay, { recursive: true });
    const paths = components.map((name) => `  - ../../components/${name}`).join('\n');
    writeFileSync(join(overlay, 'kustomization.yaml'), `resources:\n  - ../example\ncomponents:\n${paths}\n`);
    return renderAt(overlay);
  } finally {
    rmSync(copy, { recursive: true });
  }
}

function renderAt(folder: string): Manifest[] {
  const text = execFileSync('kubectl', ['kustomize', folder], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH, HOME: tmpdir() },
  });
  return parseAllDocuments(text).map((document) => unfolded(document.toJS() as Manifest));
}

/** Long secrets are folded into lines, which the API server's decoder skips and the schema's pattern does not. */
function unfolded(manifest: Manifest): Manifest {
  if (manifest.kind !== 'Secret') return manifest;
  const data = Object.entries(manifest.data ?? {}).map(([name, value]) => [name, String(value).replaceAll('\n', '')]);
  return { ...manifest, data: Object.fromEntries(data) };
}

/** @throws Error unless there is exactly one. */
export function only(manifests: readonly Manifest[], kind: string, name?: string): Manifest {
  const found = manifests.filter((each) => each.kind === kind && (name === undefined || each.metadata.name === name));
  const [first] = found;
  if (first === undefined || found.length > 1) throw new Error(`${found.length} manifests are a ${kind} ${name ?? ''}`);
  return first;
}
