import { ROLLED_BACK } from '../../contract/errors.ts';
import type { JobType } from '../../job/job-type.ts';
import type { Row } from '../../text/rows.ts';
import { formatDuration } from '../../text/time.ts';
import { plural } from '../../text/units.ts';
import type { DrillRequest, RestoreRequest, RestoreSummary } from './contract.ts';
import { drill } from './drill.ts';
import { recoverRestore } from './recovery.ts';
import { restore } from './restore.ts';

export const restoreJob: JobType<RestoreRequest, RestoreSummary> = {
  title: ({ plan }) => `Restore of ${plan.file.name} to ${plan.database}`,
  destroys: ({ plan }) => (plan.replaces ? [`database ${plan.database}, replaced`] : undefined),
  locks: true,
  run: restore,
  summary: (summary) =>
    restoreRows(
      { label: 'Restored', value: `${summary.file} to ${summary.database}`, tone: 'good' },
      summary,
    ),
  cancelEffect:
    'The live database is not changed before the final swap; what has been restored so far is dropped.',
  cancelledHint: ROLLED_BACK,
  recover: recoverRestore,
};

export const drillJob: JobType<DrillRequest, RestoreSummary> = {
  title: ({ plan }) => `Test restore of ${plan.file.name}`,
  destroys: () => undefined,
  run: drill,
  summary: (summary) =>
    restoreRows({ label: 'Test restore', value: `${summary.file}: passed`, tone: 'good' }, summary),
  cancelEffect: 'The scratch database is dropped; nothing else is changed.',
  cancelledHint: ROLLED_BACK,
  recover: recoverRestore,
};

function restoreRows(first: Row, summary: RestoreSummary): Row[] {
  const { tables, rows, compared, safety_backup, ended_sessions, duration_ms } = summary;
  const checked = compared ? 'row counts match the backup' : 'the backup has no row counts to compare';
  return [
    first,
    { label: 'Contents', value: `${plural(tables, 'table')}, ${plural(rows, 'row')}; ${checked}` },
    ...containerRows(summary),
    ...(ended_sessions > 0 ? [{ label: 'Sessions', value: `${ended_sessions} ended` }] : []),
    ...(safety_backup === null ? [] : [{ label: 'Safety backup', value: safety_backup }]),
    { label: 'Duration', value: formatDuration(duration_ms) },
  ];
}

function containerRows({
  app_stopped,
  containers_stopped = [],
  containers_left = [],
}: RestoreSummary): Row[] {
  const restarted = containers_stopped.filter((name) => !containers_left.includes(name));
  return [
    ...(app_stopped
      ? [
          {
            label: 'Still stopped',
            value: `${containers_left.join(', ') || 'the server'}: could not be started again`,
            tone: 'danger' as const,
          },
        ]
      : []),
    ...(restarted.length > 0
      ? [{ label: 'Containers', value: `${restarted.join(', ')} stopped and started again` }]
      : []),
  ];
}
