import type { ArchiveRestoreSummary, JobView, RestoreSummary } from '../../../core/index.ts';
import type { Line, Snapshot } from '../types.ts';
import { plural } from '../units.ts';
import { field, longField } from './fields.ts';

/** What to do after a restore, a sentence each. */
function nextSteps({ kind, title }: JobView, { database, safety_backup }: RestoreSummary): string[] {
  if (kind === 'drill')
    return ['Nothing: the backup is proved to restore, and its scratch database is dropped.'];
  if (title.includes(' into '))
    return [
      `Look into ${database} with psql. The live database was not touched.`,
      `When you are done with it: DROP DATABASE "${database.replaceAll('"', '""')}".`,
    ];
  return [
    'Log in to Bifract, and look whether all is there.',
    'Archives made since the backup have lost their records: 7 shows them, and a gives them back.',
    safety_backup === null
      ? 'What was there before is not kept.'
      : `To go back to what was there before: 4, and R on ${safety_backup}. It is never pruned.`,
  ];
}

function restoreLines(job: JobView, result: RestoreSummary, { columns, glyphs }: Snapshot): Line[] {
  const { tables, rows, compared, safety_backup, ended_sessions, database } = result;
  const proof = compared
    ? ({ text: `${glyphs.ok} every count is as in the backup`, tone: 'good' } as const)
    : ({ text: `${glyphs.warn} the backup counts nothing to compare with`, tone: 'warn' } as const);
  return [
    ...longField('Restored', `${plural(tables, 'table')}, ${plural(rows, 'row')}`, columns),
    field('Compared', proof),
    ...(job.kind === 'drill' ? [] : longField('Into', database, columns)),
    ...(safety_backup === null ? [] : longField('Before it', safety_backup, columns)),
    ...(ended_sessions > 0 ? [field('Thrown out', { text: plural(ended_sessions, 'session') })] : []),
    ...nextSteps(job, result).flatMap((text, index) =>
      longField(index === 0 ? 'What to do now' : '', text, columns, 'info'),
    ),
  ];
}

function archiveLines(result: ArchiveRestoreSummary, { columns, glyphs }: Snapshot): Line[] {
  const { into, via, rows_read, rows_added, rows_there, rows_removed } = result;
  const direct = via === 'direct';
  return [
    ...longField('Into', into.name, columns),
    field('Read', { text: plural(rows_read, 'row') }),
    field(direct ? 'Added' : 'Sent', { text: `${glyphs.ok} ${plural(rows_added, 'row')}`, tone: 'good' }),
    ...(rows_there > 0
      ? [field('There already', { text: `${plural(rows_there, 'row')}, not doubled` })]
      : []),
    ...(rows_removed > 0 ? [field('Taken away', { text: plural(rows_removed, 'row'), tone: 'warn' })] : []),
    ...longField(
      'What to do now',
      direct
        ? 'Search for them in Bifract.'
        : 'The server puts them into the table in its own time: search for them in Bifract.',
      columns,
      'info',
    ),
  ];
}

/** Whether the result says all that the last progress could. */
export function tellsItself({ kind, state }: JobView): boolean {
  return state === 'done' && (kind === 'restore' || kind === 'drill' || kind === 'restore-archive');
}

/** What a restore has come to, in words; undefined for other jobs. */
export function restoreResultLines(job: JobView, snapshot: Snapshot): Line[] | undefined {
  const result: unknown = job.result;
  if (job.kind === 'restore' || job.kind === 'drill')
    return restoreLines(job, result as RestoreSummary, snapshot);
  return job.kind === 'restore-archive' ? archiveLines(result as ArchiveRestoreSummary, snapshot) : undefined;
}
