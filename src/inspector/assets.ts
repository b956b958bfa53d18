/**
 * The files of the page: its own modules and styles from the build, and the libraries they import, all from this origin.
 * Read once, at start.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { PAGE_FOLDER } from './pageFolder.ts';

export interface Asset {
  readonly type: string;
  readonly body: Buffer;
  readonly gzip: Buffer;
  readonly etag: string;
}

export interface Assets {
  /** By path: `/`, `/page/main.js`, `/lib/preact.js`. */
  readonly files: ReadonlyMap<string, Asset>;
  /** The policy under which all of it runs: nothing from elsewhere, nothing inline but the import map. */
  readonly policy: string;
}

const TYPES: Readonly<Record<string, string>> = {
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
};

/** What the page's modules may import by name. */
const LIBRARIES: Readonly<Record<string, string>> = {
  preact: '/lib/preact.js',
  'preact/hooks': '/lib/hooks.js',
  'preact/jsx-runtime': '/lib/jsx.js',
  '@preact/signals': '/lib/signals.js',
  '@preact/signals-core': '/lib/core.js',
};

const IMPORT_MAP = JSON.stringify({ imports: LIBRARIES });

/** In this order: what is for narrow screens goes above the rest. */
const STYLES = ['base', 'layout', 'actor', 'journal', 'chart', 'narrow'];

const HTML = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Inspector</title>
<link rel="icon" href="/page/icon.svg">
${STYLES.map((name) => `<link rel="stylesheet" href="/page/${name}.css">`).join('\n')}
<script type="importmap">${IMPORT_MAP}</script>
<script type="module" src="/page/main.js"></script>
</head>
<body><noscript>The inspector needs JavaScript.</noscript></body>
</html>
`;

/** @throws Error if the page was not built. */
export function loadAssets(): Assets {
  const files = new Map<string, Asset>([['/', asset('text/html; charset=utf-8', HTML)]]);
  for (const file of readdirSync(PAGE_FOLDER)) {
    const type = TYPES[file.slice(file.lastIndexOf('.') + 1)];
    if (type !== undefined) files.set(`/page/${file}`, asset(type, readFileSync(new URL(file, PAGE_FOLDER), 'utf8')));
  }
  for (const [name, path] of Object.entries(LIBRARIES)) {
    const text = readFileSync(fileURLToPath(import.meta.resolve(name)), 'utf8');
    files.set(path, asset('text/javascript; charset=utf-8', text));
  }
  const map = createHash('sha256').update(IMPORT_MAP).digest('base64');
  return {
    files,
    policy: [
      "default-src 'none'",
      `script-src 'self' 'sha256-${map}'`,
      "style-src 'self'",
      "img-src 'self'",
      "connect-src 'self'",
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
      "require-trusted-types-for 'script'",
    ].join('; '),
  };
}

function asset(type: string, text: string): Asset {
  const body = Buffer.from(text.replace(/^\/\/# sourceMappingURL=.*$/m, ''));
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
  return { type, body, gzip: gzipSync(body), etag };
}
