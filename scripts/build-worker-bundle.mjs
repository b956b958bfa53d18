#!/usr/bin/env node
// Builds the worker bundle: everything an agent worker needs in a container whose image knows nothing of it. Per architecture
// and C library a folder with its own Node, the worker's compiled code, its production packages and Claude Code, all of it
// from the npm registry, held to the lock file and to the hashes below.
//
//   npm run worker:bundle -- FOLDER [linux-x64-glibc] [linux-arm64-glibc]     (without names: this machine's)
//
//   FOLDER/versions/<variant>@<version>/   bundle.json, bin/agent-worker, bin/node, lib/
//   FOLDER/<variant>                       a link to the newest of them
//
// A build of the same contents has the same version and changes nothing. It appears whole or not at all.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const NODE_VERSION = '24.21.0';
// Node for musl is not in the npm registry.
const VARIANTS = {
  'linux-x64-glibc': {
    cpu: 'x64',
    integrity: 'sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==',
  },
  'linux-arm64-glibc': {
    cpu: 'arm64',
    integrity: 'sha512-FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==',
  },
};

const LAUNCHER = `#!/bin/sh
here=$(readlink -f "$0")
here=\${here%/*}
exec "$here/node" "$here/../lib/agent-worker/dist/main.js" "$@"
`;

const repository = fileURLToPath(new URL('..', import.meta.url));
const [folder, ...named] = process.argv.slice(2);
const variants = named.length > 0 ? named : [`linux-${process.arch}-glibc`];
const unknown = variants.filter((name) => !(name in VARIANTS));
if (folder === undefined || unknown.length > 0) {
  console.error(`Usage: npm run worker:bundle -- FOLDER [${Object.keys(VARIANTS).join('] [')}]`);
  process.exit(1);
}
if (!existsSync(join(repository, 'agent-worker/dist/main.js'))) {
  console.error('The agent worker is not compiled yet: npm run build');
  process.exit(1);
}
const target = resolve(folder);
mkdirSync(join(target, 'versions'), { recursive: true });
for (const variant of variants) build(variant);

function build(variant) {
  const work = mkdtempSync(join(target, '.build-'));
  try {
    const bundle = join(work, 'bundle');
    mkdirSync(join(bundle, 'bin'), { recursive: true });
    fetchNode(variant, work, join(bundle, 'bin/node'));
    writeFileSync(join(bundle, 'bin/agent-worker'), LAUNCHER, { mode: 0o755 });
    mkdirSync(join(bundle, 'lib/agent-worker'), { recursive: true });
    const packages = installPackages(variant, work, join(bundle, 'lib/node_modules'));
    const dist = join(repository, 'agent-worker/dist');
    cpSync(dist, join(bundle, 'lib/agent-worker/dist'), {
      recursive: true,
      filter: (path) => !/\.(map|tsbuildinfo)$/.test(path),
    });
    const description = JSON.parse(readFileSync(join(repository, 'agent-worker/package.json'), 'utf8'));
    const version = `${description.version}+${hashOf(bundle)}`;
    // The worker tells this version when it is asked to describe itself.
    writeFileSync(join(bundle, 'lib/agent-worker/package.json'), json({ ...description, version }));
    writeFileSync(join(bundle, 'bundle.json'), json({ version, variant, node: NODE_VERSION, packages }));
    publish(variant, version, bundle);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** The version is in the name and the link is exchanged in one step: who starts a worker meanwhile gets an old or a new one. */
function publish(variant, version, bundle) {
  const name = `versions/${variant}@${version}`;
  if (existsSync(join(target, name))) console.log(`${name}: built already`);
  else renameSync(bundle, join(target, name));
  const link = join(target, `.${variant}.${process.pid}`);
  symlinkSync(name, link);
  renameSync(link, join(target, variant));
  console.log(`${join(target, variant)}: ${version}`);
}

function fetchNode(variant, work, to) {
  const { cpu, integrity } = VARIANTS[variant];
  const name = `node-linux-${cpu}`;
  npm(work, 'pack', `${name}@${NODE_VERSION}`, '--pack-destination', work);
  const archive = join(work, `${name}-${NODE_VERSION}.tgz`);
  const found = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`;
  if (found !== integrity) throw new Error(`${name}@${NODE_VERSION} is not what it was: ${found}`);
  execFileSync('tar', ['-xzf', archive, '-C', work, 'package/bin/node']);
  renameSync(join(work, 'package/bin/node'), to);
}

/** Exactly what the lock file says, for the variant's platform, without running anything of the packages. */
function installPackages(variant, work, to) {
  const project = join(work, 'project');
  for (const file of [
    'package.json',
    'package-lock.json',
    '.npmrc',
    'agent-worker/package.json',
    'simulator/package.json',
  ]) {
    mkdirSync(dirname(join(project, file)), { recursive: true });
    cpSync(join(repository, file), join(project, file));
  }
  const platform = ['--os', 'linux', '--cpu', VARIANTS[variant].cpu, '--libc', 'glibc'];
  npm(project, 'ci', '--workspace', 'agent-worker', '--omit', 'dev', '--ignore-scripts', ...platform);
  const modules = join(project, 'node_modules');
  const { packages } = JSON.parse(readFileSync(join(modules, '.package-lock.json'), 'utf8'));
  rmSync(join(modules, '.package-lock.json'));
  rmSync(join(modules, 'agent-worker'));
  rmSync(join(modules, '.bin'), { recursive: true, force: true });
  renameSync(modules, to);
  const versions = Object.entries(packages).filter(([path, { link }]) => path.startsWith('node_modules/') && !link);
  return Object.fromEntries(versions.map(([path, { version }]) => [path.slice('node_modules/'.length), version]));
}

function npm(cwd, ...args) {
  execFileSync('npm', [...args, '--prefer-offline', '--no-audit', '--no-fund', '--loglevel', 'error'], {
    cwd,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

/** Of every file's path, kind and content. */
function hashOf(root) {
  const hash = createHash('sha256');
  for (const path of readdirSync(root, { recursive: true }).sort()) {
    const file = join(root, path);
    const stats = lstatSync(file);
    if (stats.isDirectory()) continue;
    const content = stats.isSymbolicLink() ? readlinkSync(file) : readFileSync(file);
    const digest = createHash('sha256').update(content).digest('hex');
    hash.update(`${path}\0${stats.mode & 0o111 ? 'x' : '-'}\0${digest}\n`);
  }
  return hash.digest('hex').slice(0, 12);
}

function json(value) {
  return `${JSON.stringify(value, null, 2)}\n`;
}
