import { ROLLED_BACK } from '../../contract/errors.ts';
import type { JobType } from '../../job/job-type.ts';
import { countOf, type Row } from '../../text/rows.ts';
import { sanitize } from '../../text/sanitize.ts';
import { formatDuration } from '../../text/time.ts';
import { formatExact, plural } from '../../text/units.ts';
import { isHalfRestored } from '../files/half-restored.ts';
import { restoreKey } from './checkpoint.ts';
import type { ArchiveRestoreJobRequest, ArchiveRestorePlan, ArchiveRestoreSummary } from './contract.ts';
import { canResume, recoverArchiveRestore, resumeRequest } from './recovery.ts';
import { restoreArchive } from './restore.ts';

export const archiveRestoreJob: JobType<ArchiveRestoreJobRequest, ArchiveRestoreSummary> = {
  title: ({ plan }) =>
    `Restore of ${countOf(
      plan.files.map(({ name }) => name),
      'archive',
    )} into ${plan.into.name}`,
  target: ({ plan }) => ({ kind: 'fractal', id: plan.into.id }),
  destroys: ({ plan }) => removedRows(plan),
  changesRecords: true,
  run: (services, { plan }, context) => restoreArchive(services, plan, context),
  summary: archiveRestoreRows,
  cancelEffect:
    'Staged rows are dropped. If it is already deleting rows or moving them in, it finishes that first. Lines sent to ingest are kept.',
  cancelledHint: ROLLED_BACK,
  resumeHint:
    'Run the same command again to resume it, or select it in the console and press c. If it was already replacing rows, the next job, or opening the console, finishes that: no rows are lost.',
  resumable: canResume,
  resumeRequest,
  recover: recoverArchiveRestore,
  // Both would add the same missing rows. The same request finishes what the other one began.
  needsCleaned: ({ plan }, record) =>
    isHalfRestored(record, plan.into.id) && record.restoring?.key !== restoreKey(plan),
};

function removedRows({ into, removes, rows_there }: ArchiveRestorePlan): string[] | undefined {
  if (!removes) return undefined;
  const { from, to } = removes;
  return [
    `${plural(rows_there, 'row')} of fractal ${into.name} (${into.id}), from ${from ?? 'the start'} to ${to ? `before ${to}` : 'the end'}`,
  ];
}

function archiveRestoreRows(summary: ArchiveRestoreSummary): Row[] {
  const { into, via, files, rows_read, rows_added, rows_there, rows_removed, rows_left_out = 0 } = summary;
  const verb = via === 'direct' ? 'added to' : 'accepted by the server for';
  const count = (label: string, value: number, noun: string): Row[] =>
    value === 0 ? [] : [{ label, value: plural(value, noun) }];
  return [
    { label: 'Restored', value: `${plural(rows_added, 'row')} ${verb} ${sanitize(into.name)}`, tone: 'good' },
    { label: 'Read', value: `${formatExact(rows_read)} rows from ${plural(files, 'file')}` },
    ...count('Already there', rows_there, 'row'),
    ...count('Removed first', rows_removed, 'row'),
    ...count('Left out', rows_left_out, 'invalid line'),
    { label: 'Duration', value: formatDuration(summary.duration_ms) },
  ];
}
