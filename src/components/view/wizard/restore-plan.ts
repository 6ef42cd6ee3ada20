import type { DatabaseSession, RestoreObstacle, RestorePlan } from '../../../core/index.ts';
import { ageOf, formatAge, formatAgo, formatStamp } from '../../../core/text/time.ts';
import { formatBytes, plural } from '../../../core/text/units.ts';
import { fit } from '../../text/text.ts';
import { field, heading, longField, stamp } from '../pages/fields.ts';
import type { Line, Snapshot } from '../types.ts';
import { lossesOf, tableLines } from './restore-tables.ts';
import { paragraphs } from './text.ts';
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
      text: `${formatBytes(file.size_bytes)}, a dump of ${formatBytes(backup.dump_bytes)}, ${rowsOf}`,
    }),
    field('Database', {
      text: `${backup.database ?? 'unnamed'}, PostgreSQL ${backup.server_version ?? 'unknown'}`,
    }),
    field('Planned', { text: age === undefined ? '-' : formatAgo(age) }),
  ];
}

function serverLines(plan: RestorePlan, { columns, symbols }: Snapshot): Line[] {
  const { space, pg_restore, no_owner } = plan;
  const free = space.free_bytes === null ? 'free space unknown' : `${formatBytes(space.free_bytes)} free`;
  return [
    heading('Server', columns, symbols),
    field('PostgreSQL', { text: plan.server_version }),
    ...longField('pg_restore', pg_restore.location, columns),
    field('Disk space', { text: `about ${formatBytes(space.needed_bytes)} needed, ${free}` }),
    ...(no_owner ? [field('Owners', { text: 'omitted; the connecting user will own everything' })] : []),
    ...(plan.app
      ? [field('Server app', { text: `${plan.app.name}, ${plan.app.running ? 'running' : 'stopped'}` })]
      : []),
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
