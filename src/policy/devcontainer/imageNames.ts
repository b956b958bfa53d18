/**
 * Whose an image is that a configuration names. Images that were built for repositories stand on the VM, under names that can be
 * guessed and under ids, and may hold what their Dockerfiles copied into them: no other repository takes anything from them.
 */
import type { Vetting } from './places.ts';
import { quoted } from './verdict.ts';

/** What the session manager and the devcontainer CLI call images that they build on the VM, whosever they are. */
const BUILT_HERE = /(^|[^\w.-]|:-)(csm-[0-9a-f]{12}-\d|vsc-[^\s/:]*-[0-9a-f]{32})/i;
/** The id of an image, or how one may begin. */
const ID = /^(?:sha256:)?[0-9a-f]{1,64}$/i;
const VARIABLE = /\$(?:(\w+)|\{(\w+)(?::?[-+]([^}]*))?[^}]*\})/g;
/** In place of a variable: nothing that a name may hold. */
const BLANK = '\u0000';
/** Variables that lead to variables. */
const DEEPEST = 8;

/** What a variable of a Dockerfile may stand for; undefined for what is known only when it runs. */
export type ValuesOf = (variable: string) => readonly (string | undefined)[];

export interface NamedIn {
  readonly valuesOf: ValuesOf;
  /** Earlier ones of the same Dockerfile, by name; by number they may be named, too. */
  readonly stages: readonly string[];
}

const NOWHERE: NamedIn = { valuesOf: () => [], stages: [] };

/** A text that names an image, or may become part of such a name. */
export function vetForeign(text: string, path: string, found: Vetting['found']): void {
  if (BUILT_HERE.test(bare(text))) {
    found.refuse(path, 'ours', `uses ${quoted(text)}, which was built for a repository`);
  }
}

/** A value that a build is given. */
export function vetBuildValue(text: string, path: string, found: Vetting['found']): void {
  vetForeign(text, path, found);
  if (/^sha256\b/i.test(bare(text))) refuseId(text, path, found);
}

/** As it stands in devcontainer.json, or in a Dockerfile with variables. */
export function vetImageName(
  text: string,
  path: string,
  found: Vetting['found'],
  at: NamedIn = NOWHERE,
  depth = 0,
): void {
  vetForeign(text, path, found);
  const name = bare(text).replace(VARIABLE, BLANK);
  if (isPutTogether(name) || depth > DEEPEST) {
    found.refuse(path, 'unreadable', `puts the name of an image together from parts (${quoted(text)}); write it out`);
    return;
  }
  for (const value of valuesOfName(text, name, at)) {
    if (value === undefined) refuseUnknown(text, path, found);
    else if (name === BLANK) vetImageName(value, path, found, at, depth + 1);
    else vetForeign(value, path, found);
  }
  const isStage = at.stages.includes(name.toLowerCase()) || (/^\d+$/.test(name) && Number(name) < at.stages.length);
  if (name !== BLANK && ID.test(name.replaceAll(BLANK, '0')) && !isStage) refuseId(text, path, found);
}

/** Variables of a compose file get their values from files and from the VM: the name itself must be written out. */
export function vetComposeImage(text: string, path: string, found: Vetting['found']): void {
  vetForeign(text, path, found);
  const name = bare(text).replaceAll('$$', '$').replace(VARIABLE, BLANK);
  const own = ownPart(name);
  if (own === BLANK || isPutTogether(own)) refuseUnknown(text, path, found);
  else if (ID.test(name.replaceAll(BLANK, '0'))) refuseId(text, path, found);
}

/** Without what a Dockerfile's reader takes away. */
function bare(text: string): string {
  return text.replace(/["'\\]/g, '').trim();
}

/** `app` of `ghcr.io/acme/app:1`. */
function ownPart(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1).split(/[:@]/)[0] ?? '';
}

/** Of the variable that stands for the image's own name; none if no variable does. */
function valuesOfName(text: string, name: string, { valuesOf }: NamedIn): readonly (string | undefined)[] {
  if (ownPart(name) !== BLANK) return [];
  const before = name.slice(0, name.lastIndexOf('/') + 1).split(BLANK).length - 1;
  const [, plain, braced, instead] = [...bare(text).matchAll(VARIABLE)][before] ?? [];
  return [...valuesOf(plain ?? braced ?? ''), ...(instead === undefined ? [] : [instead])];
}

/** Its parts may make the name of one that was built here, and which parts come in with variables. */
function isPutTogether(name: string): boolean {
  return name.split(/[/:@]/).some((part) => {
    const [before = '', ...after] = part.toLowerCase().split(BLANK);
    if (after.length === 0 || part === BLANK) return false;
    return ['vsc-', 'csm-'].some((own) => own.startsWith(before) || before.startsWith(own));
  });
}

function refuseId(text: string, path: string, found: Vetting['found']): void {
  found.refuse(path, 'ours', `uses an image by its id (${quoted(text)}); name it`);
}

function refuseUnknown(text: string, path: string, found: Vetting['found']): void {
  found.refuse(path, 'unreadable', `names an image that is known only when it runs (${quoted(text)}); write it out`);
}
