import { sanitize } from '../../src/components/view/sanitize.ts';
import { formatDuration, formatStamp } from '../../src/components/view/time.ts';
import { formatBytes, formatExact, plural } from '../../src/components/view/units.ts';
import type { RestorePlan, RestoreSession, RestoreSummary, RestoreTable } from '../../src/core/restore.ts';
import { table } from './tables.ts';

/** A plan in lines for people. */
export function planLines(plan: RestorePlan): string[] {
  const { file, backup, pg_restore, space, warnings, obstacles } = plan;
  const made = [
    `${formatStamp(backup.timestamp)}Z by ${backup.tool}`,
    backup.server_version && `PostgreSQL ${backup.server_version}`,
    backup.database && `database ${backup.database}`,
  ];
  const free = space.free_bytes === null ? 'free space not known' : `${formatBytes(space.free_bytes)} free`;
  const pairs: [string, string][] = [
    ['File', `${file.path} (${formatBytes(file.size_bytes)}, read to its end: whole)`],
    ['Made', made.filter(Boolean).join(', ')],
    ['Into', intoWords(plan)],
    ['Server', `PostgreSQL ${plan.server_version}, ${pg_restore.location}`],
    ['Room', `about ${formatBytes(space.needed_bytes)} needed, ${free}`],
    ...plan.sessions.map((session): [string, string] => ['Session', sessionWords(session)]),
    ...(plan.app?.running
      ? [['Running', `the server's container (${plan.app.name})`] as [string, string]]
      : []),
    ...warnings.map((text): [string, string] => ['Warning', text]),
    ...obstacles.map(({ message, hint }): [string, string] => [
      'Obstacle',
      hint ? `${message}. ${hint}` : message,
    ]),
  ];
  return [
    ...pairs.map(([name, text]) => `${name.padEnd(9)} ${sanitize(text)}`),
    '',
    ...tableLines(plan.tables),
    '',
  ];
}

function intoWords({ target, database, replaces }: RestorePlan): string {
  if (target.kind === 'drill') return 'a scratch database, which is compared and dropped';
  if (replaces) return `${database}, REPLACING what is there (${formatBytes(replaces.size_bytes)})`;
  return `${database}, which does not exist yet`;
}

function sessionWords({ application, pid, user, client, state, since }: RestoreSession): string {
  const from = client === null ? '' : ` from ${client}`;
  return `${application || 'unnamed'} (${pid}) of ${user}${from}, ${state}, since ${formatStamp(since)}Z`;
}

function tableLines(tables: RestoreTable[]): string[] {
  if (tables.length === 0) return ['The backup holds no table.'];
  const now = tables.some(({ where }) => where !== 'backup');
  return table(tables, [
    { title: 'TABLE', cell: ({ schema, name }) => `${schema}.${name}` },
    {
      title: 'IN THE BACKUP',
      cell: ({ rows_backup, where }) => count(rows_backup, where !== 'database'),
      right: true,
    },
    ...(now
      ? [
          {
            title: 'NOW',
            cell: ({ rows_now, where }: RestoreTable) => count(rows_now, where !== 'backup'),
            right: true,
          },
        ]
      : []),
    { title: '', cell: ({ where }) => (now ? (CHANGES[where] ?? '') : '') },
  ]);
}

const CHANGES: Record<string, string> = { backup: 'comes back', database: 'goes' };

function count(rows: number | null, there: boolean): string {
  if (rows !== null) return formatExact(rows);
  return there ? '?' : '-';
}

/** What a restore did, in lines for people. */
export function restoreLines(kind: 'restore' | 'drill', summary: RestoreSummary): string[] {
  const { file, database, tables, rows, compared, safety_backup, ended_sessions, duration_ms } = summary;
  const proof = compared ? 'every count as in the manifest' : 'nothing to compare with';
  return [
    kind === 'drill' ? `Drill passed: ${file} restores` : `Restore complete: ${file} is now ${database}`,
    `${plural(tables, 'table')}, ${formatExact(rows)} rows, ${proof}, ${formatDuration(duration_ms)}`,
    ...(ended_sessions > 0 ? [`${plural(ended_sessions, 'session')} ended`] : []),
    ...(safety_backup === null ? [] : [`What was there before: ${safety_backup}`]),
  ];
}
