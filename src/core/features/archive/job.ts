import { ROLLED_BACK } from '../../contract/errors.ts';
import type { JobType } from '../../job/job-type.ts';
import type { Row } from '../../text/rows.ts';
import { formatDuration } from '../../text/time.ts';
import { formatBytes, formatRatio, plural } from '../../text/units.ts';
import { isHalfRestored } from '../files/half-restored.ts';
import { archive } from './archive.ts';
import type { ArchiveJobRequest, ArchiveSummary } from './contract.ts';
import { canResume, recoverArchive, resumeRequest } from './recovery.ts';
import { readRequest } from './request.ts';

export const archiveJob: JobType<ArchiveJobRequest, ArchiveSummary> = {
  title: ({ fractal_name, fractal_id }) => `Archive of ${fractal_name ?? fractal_id}`,
  target: ({ fractal_id }) => ({ kind: 'fractal', id: fractal_id }),
  destroys: () => undefined,
  changesRecords: true,
  run: archive,
  summary: archiveRows,
  cancelEffect: 'Unfinished files are deleted. Files of finished periods are kept.',
  cancelledHint: ROLLED_BACK,
  estimatesTotal: true,
  readRequest,
  resumeHint: 'Run the same command again to resume it, or select it in the console and press c.',
  resumable: canResume,
  resumeRequest,
  recover: recoverArchive,
  // It would miss rows, or compete with a record that is still in progress.
  needsCleaned: ({ fractal_id }, record) =>
    isHalfRestored(record, fractal_id) || record.archive?.request.fractal_id === fractal_id,
};

function archiveRows(summary: ArchiveSummary): Row[] {
  const { fractal_name, group_id, storage_path, split, children, checksum, continued, log_count } = summary;
  if (group_id === null)
    return [
      { label: 'Archive', value: `no file: ${fractal_name} has no rows to archive${windowText(summary)}` },
    ];
  const files = `${plural(children.length, 'file')}, split by ${split}${continued ? ' (resumed: files of the earlier run are not counted)' : ''}`;
  const { content_bytes, size_bytes } = summary;
  const ratio = formatRatio(content_bytes, size_bytes) ?? '1:1';
  return [
    { label: 'Archive', value: storage_path ?? files, tone: 'good' },
    { label: 'Fractal', value: fractal_name },
    {
      label: 'Rows',
      value: `${plural(log_count, 'row')}, ${summary.time_range_start} to ${summary.time_range_end}`,
    },
    {
      label: 'Size',
      value: `${formatBytes(size_bytes)} (${formatBytes(content_bytes)} before compression, ${ratio})`,
    },
    ...(checksum === null ? [] : [{ label: 'SHA-256', value: checksum }]),
    { label: 'Duration', value: formatDuration(summary.duration_ms) },
  ];
}

/** Results of earlier versions have no window. */
function windowText({ window }: Partial<ArchiveSummary>): string {
  const from = window?.from ? ` from ${window.from}` : '';
  return window?.to ? `${from} before ${window.to}` : from;
}
