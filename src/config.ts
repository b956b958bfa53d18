/** SM_* environment variables -> one Config value, or everything that is wrong with them at once. */
import { nearest } from './chat/nearest.ts';
import type { Area, Setting, ValuesOf } from './config/setting.ts';
import * as table from './config/table.ts';
import { isLoopback } from './config/values.ts';

export { configMarkdown } from './config/describe.ts';

type Sessions = Omit<ValuesOf<typeof table.sessions>, 'toolPolicy'> & { readonly toolPolicy: 'ask' | 'allow' };

export interface Config {
  readonly mattermost: ValuesOf<typeof table.mattermost>;
  readonly access: ValuesOf<typeof table.access>;
  readonly workspace: ValuesOf<typeof table.workspace>;
  /** Null with a local workspace. */
  readonly vm: ValuesOf<typeof table.vm> | null;
  readonly container: ValuesOf<typeof table.container>;
  readonly git: ValuesOf<typeof table.git>;
  readonly firewall: Omit<ValuesOf<typeof table.firewall>, 'kind'> &
    (
      | ({ readonly kind: 'opnsense' } & ValuesOf<typeof table.opnsense>)
      | ({ readonly kind: 'nftables' } & ValuesOf<typeof table.nftables>)
      | { readonly kind: 'none' }
    );
  readonly server: ValuesOf<typeof table.server>;
  readonly inspector: ValuesOf<typeof table.inspector>;
  readonly database: ValuesOf<typeof table.database>;
  readonly sessions: Sessions;
  readonly spending: ValuesOf<typeof table.spending>;
  readonly retention: ValuesOf<typeof table.retention>;
}

export interface Problem {
  readonly variable: string;
  /** Completes the sentence that starts with the variable's name. Never contains the value. */
  readonly what: string;
  readonly example: string;
}

export type LoadedConfig =
  | { readonly ok: true; readonly config: Config; readonly warnings: readonly Problem[] }
  | { readonly ok: false; readonly problems: readonly Problem[]; readonly warnings: readonly Problem[] };

type Environment = Readonly<Record<string, string | undefined>>;
type ReadFile = (path: string) => string;

/**
 * Reads the configuration. An empty variable counts as not set; variables that a mode does not use are not read.
 * @param readFile reads a file for a `_FILE` variable; may throw.
 */
export function loadConfig(env: Environment, readFile: ReadFile): LoadedConfig {
  const problems: Problem[] = [];
  const read = <A extends Area>(area: A): ValuesOf<A> => readArea(area, env, readFile, problems);
  const workspace = read(table.workspace);
  const firewall = read(table.firewall);
  const sessions = read(table.sessions);
  const retention = read(table.retention);
  const config: Config = {
    mattermost: read(table.mattermost),
    access: read(table.access),
    workspace,
    vm: workspace.kind === 'local' ? null : read(table.vm),
    container: read(table.container),
    git: read(table.git),
    firewall: readFirewall(firewall, read),
    server: read(table.server),
    inspector: readInspector(read, problems),
    database: read(table.database),
    spending: read(table.spending),
    retention,
    sessions: { ...sessions, toolPolicy: sessions.toolPolicy ?? (workspace.kind === 'local' ? 'ask' : 'allow') },
  };
  const warnings = unknownVariables(env);
  if (problems.length > 0) return { ok: false, problems, warnings };
  return { ok: true, config, warnings };
}

/** The database's address alone, for commands that need nothing else. */
export function databaseUrl(
  env: Environment,
  readFile: ReadFile,
): { readonly value: string } | { readonly problem: Problem } {
  const problems: Problem[] = [];
  const { url } = readArea({ url: table.database.url }, env, readFile, problems);
  const [problem] = problems;
  return problem === undefined ? { value: url.reveal() } : { problem };
}

/** One line for a log or a terminal. */
export function problemText(problem: Problem): string {
  const example = problem.example === '' ? '' : ` Example: ${problem.variable}=${problem.example}`;
  return `${problem.variable} ${problem.what}.${example}`;
}

function readFirewall(
  { kind, ...common }: ValuesOf<typeof table.firewall>,
  read: <A extends Area>(area: A) => ValuesOf<A>,
): Config['firewall'] {
  switch (kind) {
    case 'opnsense':
      return { kind, ...common, ...read(table.opnsense) };
    case 'nftables':
      return { kind, ...common, ...read(table.nftables) };
    case 'none':
      return { kind, ...common };
    // Named wrongly: the problem is noted already.
    default:
      return { kind: 'none', ...common };
  }
}

/** What the inspector shows is for nobody else on the network. */
function readInspector(
  read: (area: typeof table.inspector) => Config['inspector'],
  problems: Problem[],
): Config['inspector'] {
  const before = problems.length;
  const inspector = read(table.inspector);
  if (problems.length > before || inspector.addr === null) return inspector;
  if (inspector.token === null && !isLoopback(inspector.addr)) {
    problems.push({
      variable: table.inspector.token.variable,
      what: `is needed because ${table.inspector.addr.variable} is not a loopback address: others could open the inspector`,
      example: table.inspector.token.example,
    });
  }
  return inspector;
}

/** Where there are problems the values are incomplete, and `loadConfig` does not hand them out. */
function readArea<A extends Area>(area: A, env: Environment, readFile: ReadFile, problems: Problem[]): ValuesOf<A> {
  const entries = Object.entries(area).map(([key, setting]) => [key, readSetting(setting, env, readFile, problems)]);
  return Object.fromEntries(entries) as ValuesOf<A>;
}

function readSetting(setting: Setting<unknown>, env: Environment, readFile: ReadFile, problems: Problem[]): unknown {
  const problem = (what: string): undefined => {
    problems.push({ variable: setting.variable, what, example: setting.example });
  };
  const given = setting.secret ? readSecret(setting, env, readFile) : { raw: (env[setting.variable] ?? '').trim() };
  if ('problem' in given) return problem(given.problem);
  const raw = given.raw === '' ? setting.default : given.raw;
  if (raw === null) {
    if (!setting.required) return setting.absent;
    return problem(`is required but not set: ${withoutStop(setting.help)}${wayOut(setting.variable)}`);
  }
  const result = setting.type.safeParse(raw);
  if (result.success) return result.data;
  return problem(result.error.issues.map((issue) => issue.message).join('; '));
}

/** Files and Kubernetes secrets tend to end with a newline that is not part of the value. */
function readSecret(
  setting: Setting<unknown>,
  env: Environment,
  readFile: ReadFile,
): { readonly raw: string } | { readonly problem: string } {
  const direct = (env[setting.variable] ?? '').replace(/[\r\n]+$/, '');
  const path = (env[`${setting.variable}_FILE`] ?? '').trim();
  if (path === '') return { raw: direct };
  if (direct !== '') return { problem: `is set twice: here and by ${setting.variable}_FILE; keep one` };
  try {
    const raw = readFile(path).replace(/[\r\n]+$/, '');
    return raw === '' ? { problem: `comes from ${setting.variable}_FILE, but that file is empty` } : { raw };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { problem: `comes from ${setting.variable}_FILE, but that file cannot be read (${why})` };
  }
}

function withoutStop(help: string): string {
  return help.replace(/\.$/, '');
}

function wayOut(variable: string): string {
  if (variable.startsWith('SM_VM_')) return ' (or set SM_WORKSPACE=local)';
  if (variable.startsWith('SM_NFT_')) return ' (or set another SM_FIREWALL)';
  if (variable.startsWith('SM_OPNSENSE_')) return ' (or set SM_FIREWALL=none)';
  return '';
}

/** A variable nobody reads is most likely a misspelt one. */
function unknownVariables(env: Environment): Problem[] {
  const settings: Setting<unknown>[] = Object.values(table).flatMap((area) => Object.values<Setting<unknown>>(area));
  const known = settings.flatMap((item) => (item.secret ? [item.variable, `${item.variable}_FILE`] : [item.variable]));
  const warnings: Problem[] = [];
  for (const variable of Object.keys(env).sort()) {
    if (!variable.startsWith('SM_') || known.includes(variable) || isServiceLink(variable)) continue;
    const near = nearest(variable, known);
    const guess = near === null ? '' : `; did you mean ${near}?`;
    warnings.push({ variable, what: `is not a variable of this program and is ignored${guess}`, example: '' });
  }
  return warnings;
}

/** Kubernetes sets such variables for every service of the namespace, here for one whose name starts with `sm-`. */
function isServiceLink(variable: string): boolean {
  return /_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP)(_\w+)?)?)$/.test(variable);
}
