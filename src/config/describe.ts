import type { Setting } from './setting.ts';
import * as table from './table.ts';

/** One variable, as the documentation and `csm config --help` show it. */
export interface ConfigRow {
  readonly area: string;
  readonly variable: string;
  readonly default: string;
  readonly required: boolean;
  readonly secret: boolean;
  readonly unit: string;
  readonly help: string;
  readonly example: string;
}

const AREAS: readonly { readonly title: string; readonly area: Readonly<Record<string, Setting<unknown>>> }[] = [
  { title: 'Mattermost', area: table.mattermost },
  { title: 'People and repositories', area: table.access },
  { title: 'Workspace', area: table.workspace },
  { title: 'SSH and VM (with `SM_WORKSPACE=vm`)', area: table.vm },
  { title: 'Container', area: table.container },
  { title: 'Git', area: table.git },
  { title: 'Firewall', area: table.firewall },
  { title: 'nftables (with `SM_FIREWALL=nftables`)', area: table.nftables },
  { title: 'OPNsense (with `SM_FIREWALL=opnsense`)', area: table.opnsense },
  { title: 'Server', area: table.server },
  { title: 'Inspector', area: table.inspector },
  { title: 'Database', area: table.database },
  { title: 'Sessions', area: table.sessions },
  { title: 'Spending', area: table.spending },
  { title: 'Retention', area: table.retention },
];

export function describeConfig(): readonly ConfigRow[] {
  return AREAS.flatMap(({ title, area }) =>
    Object.values(area).map((setting) => ({
      area: title,
      variable: setting.variable,
      default: setting.default ?? '',
      required: setting.required,
      secret: setting.secret,
      unit: setting.unit,
      help: setting.help,
      example: setting.example,
    })),
  );
}

/** The text of docs/configuration.md. */
export function configMarkdown(): string {
  const rows = describeConfig();
  const lines = [
    '# Configuration',
    '',
    'The gateway is configured by environment variables. This page is generated from the table in `src/config/table.ts`.',
    '',
    '- An empty variable counts as not set.',
    '- Lists are separated by commas; a JSON array works too. Switches are `true` or `false` (`1`, `0`, `yes` and `no` work too).',
    '- A **secret** can be given in a file instead: `<name>_FILE` holds the path; a newline at the end of the file does not count.',
    '  Setting both is an error. Secrets are never logged.',
    '- At start every problem is reported at once. Unknown variables that start with `SM_` are warned about.',
  ];
  for (const { title } of AREAS) {
    lines.push('', `## ${title}`, '', '| Variable | Default | Description |', '|:--|:--|:--|');
    for (const row of rows.filter((item) => item.area === title)) {
      lines.push(`| \`${row.variable}\` | ${defaultCell(row)} | ${helpCell(row)} |`);
    }
  }
  return `${lines.join('\n')}\n`;
}

function defaultCell(row: ConfigRow): string {
  if (row.required) return '**required**';
  return row.default === '' ? '-' : `\`${row.default}\``;
}

function helpCell(row: ConfigRow): string {
  const notes = [
    row.secret ? 'Secret.' : '',
    row.unit === '' ? '' : `In ${row.unit}.`,
    row.example === row.default || row.secret ? '' : `Example: \`${row.example}\`.`,
  ];
  return [row.help, ...notes]
    .filter((note) => note !== '')
    .join(' ')
    .replaceAll('|', '\\|');
}
