import type { ArchiveRestoreSummary, JobView, RestoreSummary } from '../../../core/index.ts';
import { plural } from '../../../core/text/units.ts';
import type { Line, Snapshot } from '../types.ts';
import { field, longField } from './fields.ts';

/** What to do after a restore, one sentence per entry. */
function nextSteps({ kind, title }: JobView, { database, safety_backup }: RestoreSummary): string[] {
  if (kind === 'drill') return ['Nothing: the backup restores, and the scratch database was dropped.'];
  if (title.includes(' into '))
    return [
      `Inspect ${database} with psql. The live database was not touched.`,
      `To remove it later: DROP DATABASE "${database.replaceAll('"', '""')}".`,
    ];
  return [
    'Log in to Bifract and check that everything is there.',
    'Archives created since the backup lost their records: press 7 to list them, then a to adopt them.',
    safety_backup === null
      ? 'The previous database was not kept.'
      : `To return to the previous database, press 4, then R on ${safety_backup}. It is never pruned.`,
  ];
}

function restoreLines(job: JobView, result: RestoreSummary, { columns, symbols }: Snapshot): Line[] {
  const { tables, rows, compared, safety_backup, ended_sessions, database } = result;
  const comparison = compared
    ? ({ text: `${symbols.ok} row counts match the backup`, tone: 'good' } as const)
    : ({ text: `${symbols.warn} the backup has no row counts to compare`, tone: 'warn' } as const);
  return [
    ...longField('Restored', `${plural(tables, 'table')}, ${plural(rows, 'row')}`, columns),
    field('Compared', comparison),
    ...(job.kind === 'drill' ? [] : longField('Into', database, columns)),
    ...(safety_backup === null ? [] : longField('Safety backup', safety_backup, columns)),
    ...(ended_sessions > 0 ? [field('Disconnected', { text: plural(ended_sessions, 'session') })] : []),
    ...nextSteps(job, result).flatMap((text, index) =>
      longField(index === 0 ? 'What to do now' : '', text, columns, 'info'),
    ),
  ];
}

function archiveLines(result: ArchiveRestoreSummary, { columns, symbols }: Snapshot): Line[] {
  const { into, via, rows_read, rows_added, rows_there, rows_removed } = result;
  const direct = via === 'direct';
  return [
    ...longField('Into', into.name, columns),
    field('Read', { text: plural(rows_read, 'row') }),
    field(direct ? 'Added' : 'Sent', { text: `${symbols.ok} ${plural(rows_added, 'row')}`, tone: 'good' }),
    ...(rows_there > 0 ? [field('Already there', { text: `${plural(rows_there, 'row')}, skipped` })] : []),
    ...(rows_removed > 0 ? [field('Removed', { text: plural(rows_removed, 'row'), tone: 'warn' })] : []),
    ...longField(
      'What to do now',
      direct
        ? 'Search for them in Bifract.'
        : 'The server ingests them in the background. Search for them in Bifract.',
      columns,
      'info',
    ),
  ];
}

/** Whether the result lines of a job make its progress lines redundant. */
export function replacesProgress({ kind, state }: JobView): boolean {
  return state === 'done' && (kind === 'restore' || kind === 'drill' || kind === 'restore-archive');
}

/** The result of a restore; undefined for other jobs. */
export function restoreResultLines(job: JobView, snapshot: Snapshot): Line[] | undefined {
  const result: unknown = job.result;
  if (job.kind === 'restore' || job.kind === 'drill')
    return restoreLines(job, result as RestoreSummary, snapshot);
  return job.kind === 'restore-archive' ? archiveLines(result as ArchiveRestoreSummary, snapshot) : undefined;
}
