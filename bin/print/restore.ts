import type { DatabaseSession, RestorePlan, RestoreTable } from '../../src/core/index.ts';
import { sanitize } from '../../src/core/text/sanitize.ts';
import { formatStamp } from '../../src/core/text/time.ts';
import { formatBytes, formatExact } from '../../src/core/text/units.ts';
import { table } from './tables.ts';

/** The plan of a restore, for people. */
export function restorePlanLines(plan: RestorePlan): string[] {
  const { file, backup, pg_restore, space, warnings, obstacles } = plan;
  const origin = [
    `${formatStamp(backup.timestamp)}Z by ${backup.tool}`,
    backup.server_version && `PostgreSQL ${backup.server_version}`,
    backup.database && `database ${backup.database}`,
  ];
  const free = space.free_bytes === null ? 'free space unknown' : `${formatBytes(space.free_bytes)} free`;
  const pairs: [string, string][] = [
    ['File', `${file.path} (${formatBytes(file.size_bytes)}, verified: complete)`],
    ['Created', origin.filter(Boolean).join(', ')],
    ['Target', targetText(plan)],
    ['Server', `PostgreSQL ${plan.server_version}, ${pg_restore.location}`],
    ['Space', `about ${formatBytes(space.needed_bytes)} needed, ${free}`],
    ...plan.sessions.map((session): [string, string] => ['Session', sessionText(session)]),
    ...(plan.app?.running ? [['Container', `${plan.app.name} is running`] as [string, string]] : []),
    ...warnings.map((text): [string, string] => ['Warning', text]),
    ...obstacles.map(({ message, hint }): [string, string] => [
      'Problem',
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

function targetText({ target, database, replaces }: RestorePlan): string {
  if (target.kind === 'drill') return 'a scratch database, dropped after the comparison';
  if (replaces) return `${database}, REPLACING the current database (${formatBytes(replaces.size_bytes)})`;
  return `${database} (new database)`;
}

function sessionText({ application, pid, user, client, state, since }: DatabaseSession): string {
  const from = client === null ? '' : ` from ${client}`;
  return `${application || 'unnamed'} (${pid}) of ${user}${from}, ${state}, since ${formatStamp(since)}Z`;
}

function tableLines(tables: RestoreTable[]): string[] {
  if (tables.length === 0) return ['The backup contains no tables.'];
  const now = tables.some(({ where }) => where !== 'backup');
  return table(tables, [
    { title: 'TABLE', cell: ({ schema, name }) => `${schema}.${name}` },
    {
      title: 'BACKUP',
      cell: ({ rows_backup, where }) => count(rows_backup, where !== 'database'),
      right: true,
    },
    ...(now
      ? [
          {
            title: 'CURRENT',
            cell: ({ rows_now, where }: RestoreTable) => count(rows_now, where !== 'backup'),
            right: true,
          },
        ]
      : []),
    { title: now ? 'CHANGE' : '', cell: ({ where }) => (now ? (CHANGES[where] ?? '') : '') },
  ]);
}

const CHANGES: Record<string, string> = { backup: 'added', database: 'dropped' };

function count(rows: number | null, exists: boolean): string {
  if (rows !== null) return formatExact(rows);
  return exists ? '?' : '-';
}
