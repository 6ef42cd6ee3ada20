import type { DatabaseSession, RestoreObstacle, RestorePlan, RestoreTable } from '../../../core/index.ts';
import { ageOf, formatAge, formatAgo, formatStamp } from '../../../core/text/time.ts';
import { formatExact, plural } from '../../../core/text/units.ts';
import { formatBytes } from '../../text/display.ts';
import type { Line, Tone } from '../../text/line.ts';
import { fit } from '../../text/text.ts';
import { field, heading, longField, paragraphs, stamp } from '../pages/fields.ts';
import type { Snapshot } from '../types.ts';
import type { BackupWizard } from './types.ts';

function isResolved({ consent }: RestoreObstacle, given: BackupWizard['consent']): boolean {
  return consent === 'end_sessions' && (given.end_sessions || given.stop_app);
}

/** Why the plan cannot be executed; undefined if it can. */
export function restoreBlocked({ plan, consent }: BackupWizard): string | undefined {
  const [first] = (plan?.obstacles ?? []).filter((one) => !isResolved(one, consent));
  return (
    first &&
    (first.consent === 'end_sessions' ? `${first.message}: choose below how to disconnect` : first.message)
  );
}

/** What the restore does, in one sentence. */
function headline({ target, database, replaces, backup }: RestorePlan, now: number): string {
  const age = ageOf(backup.timestamp, now);
  const of = `the backup of ${formatStamp(backup.timestamp)} UTC${age === undefined ? '' : ` (${formatAgo(age)})`}`;
  if (target.kind === 'drill')
    return `Restores ${of} into a scratch database, compares every row count, and drops it.`;
  if (!replaces) return `Restores ${of} into ${database}, which does not exist yet.`;
  return `REPLACES the database ${database} with ${of}.`;
}

function obstacleLines({ obstacles }: RestorePlan, { columns, symbols }: Snapshot): Line[] {
  return obstacles.flatMap(({ message, hint, consent }) => [
    ...longField(`${symbols.bad} Blocked`, message, columns, 'bad'),
    ...longField(
      'What to do',
      consent === 'end_sessions' ? 'Choose below how to disconnect the sessions.' : (hint ?? '-'),
      columns,
    ),
  ]);
}

function sessionLine({ pid, user, application, client, state, since }: DatabaseSession, now: number): Line {
  const age = ageOf(since, now);
  const who = `${fit(application || 'unnamed', 14)} ${fit(user, 10)} ${fit(client ?? 'socket', 15)}`;
  return [
    { text: `  ${String(pid).padEnd(7)} ${who} ${fit(state, 19)}` },
    { text: age === undefined ? '' : ` ${formatAge(age)}`, tone: 'dim' },
  ];
}

function backupLines({ file, backup, planned_at }: RestorePlan, { columns, symbols, now }: Snapshot): Line[] {
  const age = ageOf(planned_at, now);
  const rowsOf = backup.rows === null ? 'rows not counted' : plural(backup.rows, 'row');
  return [
    heading('Backup', columns, symbols),
    field('Created', ...stamp(backup.timestamp, now), { text: `  by ${backup.tool}`, tone: 'dim' }),
    ...longField('File', file.path, columns),
    field('Checked', {
      text: file.sealed ? `${symbols.ok} complete` : `${symbols.warn} readable, but has no trailer`,
      tone: file.sealed ? 'good' : 'warn',
    }),
    field('Size', {
      text: `${formatBytes(file.size_bytes)} (dump ${formatBytes(backup.dump_bytes)}), ${rowsOf}`,
    }),
    field('Database', {
      text: `${backup.database ?? 'unnamed'}, PostgreSQL ${backup.server_version ?? 'unknown'}`,
    }),
    field('Planned', { text: age === undefined ? '-' : formatAgo(age) }),
  ];
}

function serverLines(plan: RestorePlan, { columns, symbols }: Snapshot): Line[] {
  const { space, pg_restore, no_owner, no_privileges, no_tablespaces } = plan;
  const free = space.free_bytes === null ? 'free space unknown' : `${formatBytes(space.free_bytes)} free`;
  return [
    heading('Server', columns, symbols),
    field('PostgreSQL', { text: plan.server_version }),
    ...longField('pg_restore', pg_restore.location, columns),
    field('Disk space', { text: `about ${formatBytes(space.needed_bytes)} needed, ${free}` }),
    ...(no_owner ? [field('Owners', { text: 'omitted; the connecting user will own everything' })] : []),
    ...(no_privileges ? [field('Privileges', { text: 'omitted' })] : []),
    ...(no_tablespaces
      ? [field('Tablespaces', { text: 'omitted; everything goes to the default one' })]
      : []),
    ...plan.containers.map(({ name, running }, index) =>
      field(index === 0 ? 'Containers' : '', { text: `${name}, ${running ? 'running' : 'stopped'}` }),
    ),
  ];
}

/** A plan, most important facts first. */
export function restorePlanLines(plan: RestorePlan, snapshot: Snapshot): Line[] {
  const { columns, symbols, now } = snapshot;
  const { sessions } = plan;
  return [
    ...paragraphs([`${headline(plan, now)}${lossesOf(plan)}`], columns, plan.replaces ? 'bad' : 'plain'),
    ...obstacleLines(plan, snapshot),
    ...plan.warnings.flatMap((text) => longField(`${symbols.warn} Note`, text, columns, 'warn')),
    ...(sessions.length > 0
      ? [
          heading(`${plural(sessions.length, 'session')} connected`, columns, symbols),
          ...sessions.map((one) => sessionLine(one, now)),
        ]
      : []),
    ...backupLines(plan, snapshot),
    ...tableLines(plan, snapshot),
    ...serverLines(plan, snapshot),
  ];
}

const NAME = 30;
const COUNT = 13;

/** What happens to a table; `order` sorts by importance, 0 first. */
function changeOf({ where, rows_backup, rows_now }: RestoreTable): {
  text: string;
  tone: Tone;
  order: number;
} {
  if (where === 'database') return { text: 'dropped', tone: 'bad', order: 0 };
  if (where === 'backup') return { text: 'restored', tone: 'good', order: 2 };
  if (rows_backup === null || rows_now === null) return { text: 'unknown', tone: 'warn', order: 1 };
  const change = rows_backup - rows_now;
  if (change === 0) return { text: 'same', tone: 'dim', order: 4 };
  return change < 0
    ? { text: `-${formatExact(-change)}`, tone: 'bad', order: 0 }
    : { text: `+${formatExact(change)}`, tone: 'good', order: 3 };
}

function rows(count: number | null, there: boolean): string {
  return (count === null ? (there ? '?' : '-') : formatExact(count)).padStart(COUNT);
}

/** How many tables are dropped, and how many lose rows. */
function losses({ tables, replaces }: RestorePlan): { dropped: number; fewer: number } {
  if (!replaces) return { dropped: 0, fewer: 0 };
  const lossy = tables.filter((table) => changeOf(table).order === 0);
  const dropped = lossy.filter(({ where }) => where === 'database').length;
  return { dropped, fewer: lossy.length - dropped };
}

/** How many tables are dropped or lose rows, as a sentence; empty if none. */
export function lossesOf(plan: RestorePlan): string {
  const { dropped, fewer } = losses(plan);
  const parts = [
    dropped > 0 ? `${plural(dropped, 'table')} will be dropped` : '',
    fewer > 0 ? `${plural(fewer, 'table')} will lose rows` : '',
  ].filter(Boolean);
  return parts.length > 0 ? ` ${parts.join(', ')}: see below.` : '';
}

/** Tables with their row counts in the backup and now, losses first. */
export function tableLines({ tables, replaces }: RestorePlan, { columns, symbols }: Snapshot): Line[] {
  const nameWidth = Math.max(NAME, Math.min(60, columns - 2 * COUNT - 18));
  const titles = `  ${fit('', nameWidth)} ${'in the backup'.padStart(COUNT)}${replaces ? ` ${'now'.padStart(COUNT)}` : ''}`;
  return [
    heading(plural(tables.length, 'table'), columns, symbols),
    [{ text: titles, tone: 'dim' }],
    ...tables
      .toSorted((a, b) => changeOf(a).order - changeOf(b).order)
      .map((table): Line => {
        const { where, rows_backup, rows_now } = table;
        const name = `  ${fit(`${table.schema}.${table.name}`, nameWidth, 'left', symbols.ellipsis)} ${rows(rows_backup, where !== 'database')}`;
        if (!replaces) return [{ text: name }];
        const { text, tone } = changeOf(table);
        return [
          { text: `${name} ${rows(rows_now, where !== 'backup')}  `, tone: tone === 'dim' ? 'dim' : 'plain' },
          { text, tone },
        ];
      }),
  ];
}
