import type { ArchiveRecord, CheckResult, JobView } from '../../../core/index.ts';
import { ageOf, formatAge, formatAgo, formatStamp, timeOf } from '../../../core/text/time.ts';
import { formatPercent, plural } from '../../../core/text/units.ts';
import { formatBytes } from '../../text/display.ts';
import type { Span } from '../../text/line.ts';
import { spinnerAt } from '../../text/symbols.ts';
import { archiveCheck } from '../file-checks.ts';
import type { DrawContext, Snapshot } from '../types.ts';
import type { ArchiveRow } from './archive-rows.ts';
import type { Column } from './list.ts';

/** Size in storage. */
export const sizeColumn: Column<{ size_bytes: number }> = {
  id: 'size',
  title: 'Size',
  width: 9,
  align: 'right',
  cell: ({ size_bytes }) => ({ text: formatBytes(size_bytes) }),
  value: ({ size_bytes }) => size_bytes,
};

/** Time since creation. */
export const ageColumn: Column<{ created_at: string }> = {
  id: 'age',
  title: 'Age',
  width: 4,
  align: 'right',
  cell: ({ created_at }, { now }) => ({ text: formatAge(ageOf(created_at, now) ?? 0) }),
  value: ({ created_at }) => timeOf(created_at),
};

/** A verification result for a table cell. */
export function shortVerification(result: CheckResult | null, { symbols, now }: DrawContext): Span {
  if (!result) return { text: '-', tone: 'dim' };
  if (!result.ok) return { text: `${symbols.bad} failed`, tone: 'bad' };
  const age = formatAge(ageOf(result.at, now) ?? 0);
  return { text: `${symbols.ok} ${age}${result.quick ? ' quick' : ''}`, tone: 'good' };
}

/** A verification result as a sentence, without its message. */
export function longVerification(result: CheckResult | null, { symbols, now }: DrawContext): Span {
  if (!result) return { text: 'never', tone: 'dim' };
  const ago = formatAgo(ageOf(result.at, now) ?? 0);
  if (!result.ok) return { text: `${symbols.bad} failed, ${ago}`, tone: 'bad' };
  return {
    text: `${symbols.ok} ${result.quick ? 'quick check passed' : 'passed'}, ${ago}`,
    tone: 'good',
  };
}

/** The running job on a fractal: it archives it, or restores rows into it. */
export function jobOfFractal(jobs: readonly JobView[], fractal: string): JobView | undefined {
  return jobs.find((job) => job.ended_at === undefined && job.target?.id === fractal);
}

function archivingJob(jobs: readonly JobView[], fractal: string): JobView | undefined {
  const job = jobOfFractal(jobs, fractal);
  return job?.kind === 'archive' ? job : undefined;
}

/** The status of an archive; with progress if its job is known. Reads no more of the snapshot than this status needs. */
export function archiveStatus(record: ArchiveRecord, snapshot: Snapshot): Span {
  const { symbols, busy } = snapshot;
  // An action on a group applies to all its archives.
  const doing = busy.get(record.id) ?? busy.get(record.group_id ?? '');
  if (doing !== undefined) return { text: `${spinnerAt(symbols, snapshot.now)} ${doing}`, tone: 'warn' };
  switch (record.status) {
    case 'completed':
      return { text: `${symbols.ok} Completed`, tone: 'good' };
    case 'failed':
      return { text: `${symbols.bad} Failed`, tone: 'bad' };
    case 'restoring':
      return { text: `${spinnerAt(symbols, snapshot.now)} Restoring`, tone: 'info' };
    case 'in_progress': {
      const job = archivingJob(snapshot.jobs, record.fractal_id);
      // Of a process without a visible job, only the record is known.
      if (!job) return { text: `${symbols.dot} Archiving`, tone: 'info' };
      const part =
        job.fraction === undefined || record.period_label !== null ? '' : ` ${formatPercent(job.fraction)}`;
      return { text: `${spinnerAt(symbols, snapshot.now)} Archiving${part}`, tone: 'info' };
    }
  }
}

/** The status; of a completed archive, its last verification if there is one. */
function verifiedStatus(record: ArchiveRecord, snapshot: Snapshot): Span {
  const verification = archiveCheck(record, snapshot);
  if (!verification || record.status !== 'completed' || snapshot.busy.has(record.id))
    return archiveStatus(record, snapshot);
  const { symbols } = snapshot;
  if (!verification.ok) return { text: `${symbols.bad} Verify failed`, tone: 'bad' };
  return { text: `${symbols.ok} ${verification.quick ? 'Quick-checked' : 'Verified'}`, tone: 'good' };
}

/** How many archives of a group are complete, out of how many. */
function groupStatus({ status, parts, expected, ...record }: Required<ArchiveRow>, snapshot: Snapshot): Span {
  const { symbols, busy } = snapshot;
  if (busy.has(record.id) || status === 'restoring') return archiveStatus({ ...record, status }, snapshot);
  const complete = parts.filter((part) => part.status === 'completed').length;
  const count = `${complete} of ${expected}`;
  if (status === 'in_progress') return { text: `${spinnerAt(symbols, snapshot.now)} ${count}`, tone: 'info' };
  if (expected === 0) return { text: `${symbols.dot} Empty`, tone: 'dim' };
  return status === 'completed'
    ? { text: `${symbols.ok} ${count}`, tone: 'good' }
    : { text: `${complete > 0 ? symbols.warn : symbols.bad} ${count}`, tone: complete > 0 ? 'warn' : 'bad' };
}

/** The status of an archive or a group. */
export function statusCell(record: ArchiveRow, snapshot: Snapshot): Span {
  return record.parts
    ? groupStatus(record as Required<ArchiveRow>, snapshot)
    : verifiedStatus(record, snapshot);
}

/** The error of an archive or a group, else its time range. */
export function rangeOrError(record: ArchiveRow, snapshot: Snapshot, columns: number): Span {
  const verification = record.parts ? null : archiveCheck(record, snapshot);
  if (record.status === 'failed' && record.error_message) return { text: record.error_message, tone: 'bad' };
  if (verification && !verification.ok) return { text: verification.message, tone: 'bad' };
  const files = record.parts ? `${plural(record.parts.length, 'file')}, ` : '';
  const withFiles = files + shortRange(record, snapshot, columns - files.length);
  // The status of a group has the number of its files too.
  const text = withFiles.length <= columns ? withFiles : shortRange(record, snapshot, columns);
  return { text, tone: 'dim' };
}

/** The running job with the progress of this archive. A job of a group only has the progress of all its archives. */
export function liveJob(record: ArchiveRecord, snapshot: Snapshot): JobView | undefined {
  return record.status === 'in_progress' && record.period_label === null
    ? archivingJob(snapshot.jobs, record.fractal_id)
    : undefined;
}

/** The time range of an archive in its longest form that fits: with times, as days, or without the year if it is this one. */
export function shortRange(record: ArchiveRecord, { symbols, now }: DrawContext, columns: number): string {
  const { time_range_start, time_range_end } = record;
  if (time_range_start === null || time_range_end === null) return archiveRange(record);
  const [from, to] = [formatStamp(time_range_start), formatStamp(time_range_end)];
  const [first, last] = [from.slice(0, 10), to.slice(0, 10)];
  const cut = [first, last].every((day) => day.startsWith(formatStamp(now).slice(0, 5))) ? 5 : 2;
  const forms =
    first === last
      ? [`${from}${symbols.to}${to.slice(11)}`, `${from.slice(cut)}${symbols.to}${to.slice(11)}`]
      : [`${first}${symbols.to}${last}`];
  const shortest = first === last ? first.slice(cut) : `${first.slice(cut)}${symbols.to}${last.slice(cut)}`;
  return [archiveRange(record), ...forms].find((form) => form.length <= columns) ?? shortest;
}

/** The time range of an archive, from its first to its last log. */
export function archiveRange(record: ArchiveRecord): string {
  const { time_range_start: from, time_range_end: to } = record;
  if (from === null && to === null) return record.period_label ?? '-';
  return `${formatStamp(from)} to ${formatStamp(to)}`;
}
