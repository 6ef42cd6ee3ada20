import type { RestoreObstacle, RestorePlan, RestoreSession } from '../../../core/index.ts';
import { field, heading, longField, stamp } from '../pages/fields.ts';
import { fit } from '../text.ts';
import { ageOf, formatAge, formatAgo, formatStamp } from '../time.ts';
import type { Line, Snapshot } from '../types.ts';
import { formatBytes, plural } from '../units.ts';
import { lossesOf, tableLines } from './restore-tables.ts';
import type { BackupWizard } from './types.ts';
import { sentences } from './words.ts';

function isRemoved({ consent }: RestoreObstacle, given: BackupWizard['consent']): boolean {
  return consent === 'end_sessions' && (given.end_sessions || given.stop_app);
}

/** Why the plan cannot be carried out as it stands; undefined where it can. */
export function restoreBlocked({ plan, consent }: BackupWizard): string | undefined {
  const [first] = (plan?.obstacles ?? []).filter((one) => !isRemoved(one, consent));
  return first && (first.consent === 'end_sessions' ? `${first.message}: tick how they end` : first.message);
}

/** The sentence that says it all. */
function deedOf({ target, database, replaces, backup }: RestorePlan, now: number): string {
  const age = ageOf(backup.timestamp, now);
  const of = `the backup of ${formatStamp(backup.timestamp)} UTC${age === undefined ? '' : `, ${formatAgo(age)}`}`;
  if (target.kind === 'drill')
    return `Restores ${of}, into a scratch database, compares every count, and drops it.`;
  if (!replaces) return `Restores ${of}, into ${database}, which does not exist yet.`;
  return `REPLACES the database ${database} by ${of}.`;
}

function obstacleLines({ obstacles }: RestorePlan, { columns, glyphs }: Snapshot): Line[] {
  return obstacles.flatMap(({ message, hint, consent }) => [
    ...longField(`${glyphs.bad} In the way`, message, columns, 'bad'),
    ...longField(
      'What to do',
      consent === 'end_sessions' ? 'Tick below how the sessions end.' : (hint ?? '-'),
      columns,
    ),
  ]);
}

function sessionLine({ pid, user, application, client, state, since }: RestoreSession, now: number): Line {
  const age = ageOf(since, now);
  const who = `${fit(application || 'unnamed', 14)} ${fit(user, 10)} ${fit(client ?? 'socket', 15)}`;
  return [
    { text: `  ${String(pid).padEnd(7)} ${who} ${fit(state, 19)}` },
    { text: age === undefined ? '' : ` ${formatAge(age)}`, tone: 'dim' },
  ];
}

function backupLines({ file, backup, planned_at }: RestorePlan, { columns, glyphs, now }: Snapshot): Line[] {
  const age = ageOf(planned_at, now);
  const rowsOf = backup.rows === null ? 'rows not counted' : plural(backup.rows, 'row');
  return [
    heading('Backup', columns, glyphs),
    field('Made', ...stamp(backup.timestamp, now), { text: `  by ${backup.tool}`, tone: 'dim' }),
    ...longField('File', file.path, columns),
    field('Read', {
      text: `${glyphs.ok} to its end: ${file.sealed ? 'whole' : 'readable, without sealed ends'}`,
      tone: file.sealed ? 'good' : 'warn',
    }),
    field('Size', {
      text: `${formatBytes(file.size_bytes)}, a dump of ${formatBytes(backup.dump_bytes)}, ${rowsOf}`,
    }),
    field('Of', {
      text: `${backup.database ?? 'a database without a name'}, PostgreSQL ${backup.server_version ?? 'not known'}`,
    }),
    field('Planned', { text: age === undefined ? '-' : formatAgo(age) }),
  ];
}

function serverLines(plan: RestorePlan, { columns, glyphs }: Snapshot): Line[] {
  const { space, pg_restore, no_owner } = plan;
  const free = space.free_bytes === null ? 'free space not known' : `${formatBytes(space.free_bytes)} free`;
  return [
    heading('Server', columns, glyphs),
    field('PostgreSQL', { text: plan.server_version }),
    ...longField('Restored by', pg_restore.location, columns),
    field('Room', { text: `about ${formatBytes(space.needed_bytes)} needed, ${free}` }),
    ...(no_owner ? [field('Owners', { text: 'left out: all will belong to the user that connects' })] : []),
    ...(plan.app
      ? [field('Server app', { text: `${plan.app.name}, ${plan.app.running ? 'running' : 'stopped'}` })]
      : []),
  ];
}

/** A plan, what matters most first. */
export function restorePlanLines(plan: RestorePlan, snapshot: Snapshot): Line[] {
  const { columns, glyphs, now } = snapshot;
  const { sessions } = plan;
  return [
    ...sentences([`${deedOf(plan, now)}${lossesOf(plan)}`], columns, plan.replaces ? 'bad' : 'plain'),
    ...obstacleLines(plan, snapshot),
    ...plan.warnings.flatMap((text) => longField(`${glyphs.warn} Note`, text, columns, 'warn')),
    ...(sessions.length > 0
      ? [
          heading(`${plural(sessions.length, 'session')} connected`, columns, glyphs),
          ...sessions.map((one) => sessionLine(one, now)),
        ]
      : []),
    ...backupLines(plan, snapshot),
    ...tableLines(plan, snapshot),
    ...serverLines(plan, snapshot),
  ];
}
