import type { ArchiveRecord, JobView } from '../../../core/index.ts';
import { spinnerAt } from '../glyphs.ts';
import { formatStamp } from '../time.ts';
import type { Snapshot, Span } from '../types.ts';
import { formatPercent, plural } from '../units.ts';
import { verdictOf } from '../verdict.ts';
import type { ArchiveRow } from './archive-rows.ts';

/** The running job that works on this fractal: it is archived, or gets rows of an archive. */
export function jobOfFractal(jobs: readonly JobView[], fractal: string): JobView | undefined {
  return jobs.find((job) => job.ended_at === undefined && job.target?.id === fractal);
}

function archivingJob(jobs: readonly JobView[], fractal: string): JobView | undefined {
  const job = jobOfFractal(jobs, fractal);
  return job?.kind === 'archive' ? job : undefined;
}

/** An archive's status in words, live where the work is ours. */
export function archiveStatus(record: ArchiveRecord, snapshot: Snapshot): Span {
  const { glyphs, jobs, now, busy } = snapshot;
  // What is done to a group is done to all of it.
  const doing = busy.get(record.id) ?? busy.get(record.group_id ?? '');
  if (doing !== undefined) return { text: `${spinnerAt(glyphs, now)} ${doing}`, tone: 'warn' };
  switch (record.status) {
    case 'completed':
      return { text: `${glyphs.ok} Completed`, tone: 'good' };
    case 'failed':
      return { text: `${glyphs.bad} Failed`, tone: 'bad' };
    case 'restoring':
      return { text: `${spinnerAt(glyphs, now)} Restoring`, tone: 'info' };
    case 'in_progress': {
      const job = archivingJob(jobs, record.fractal_id);
      // What another process does is told by its record only.
      if (!job) return { text: `${glyphs.dot} Archiving`, tone: 'info' };
      const part =
        job.fraction === undefined || record.period_label !== null ? '' : ` ${formatPercent(job.fraction)}`;
      return { text: `${spinnerAt(glyphs, now)} Archiving${part}`, tone: 'info' };
    }
  }
}

/** The status, and of a completed archive what a verification in this session has shown. */
function provenStatus(record: ArchiveRecord, snapshot: Snapshot): Span {
  const verdict = verdictOf(snapshot, record.filename, record.id);
  if (!verdict || record.status !== 'completed' || snapshot.busy.has(record.id))
    return archiveStatus(record, snapshot);
  const { glyphs } = snapshot;
  if (!verdict.ok) return { text: `${glyphs.bad} Not sound`, tone: 'bad' };
  return { text: `${glyphs.ok} ${verdict.quick ? 'Ends sound' : 'Verified'}`, tone: 'good' };
}

/** How many of a group are whole, and how many there are to be. */
function groupStatus(
  { status, parts, announced, ...record }: Required<ArchiveRow>,
  snapshot: Snapshot,
): Span {
  const { glyphs, busy } = snapshot;
  if (busy.has(record.id) || status === 'restoring') return archiveStatus({ ...record, status }, snapshot);
  const whole = parts.filter((part) => part.status === 'completed').length;
  const count = `${whole} of ${announced}`;
  if (status === 'in_progress') return { text: `${spinnerAt(glyphs, snapshot.now)} ${count}`, tone: 'info' };
  if (announced === 0) return { text: `${glyphs.dot} Empty`, tone: 'dim' };
  return status === 'completed'
    ? { text: `${glyphs.ok} ${count}`, tone: 'good' }
    : { text: `${whole > 0 ? glyphs.warn : glyphs.bad} ${count}`, tone: whole > 0 ? 'warn' : 'bad' };
}

/** How an archive or a group stands. */
export function statusCell(record: ArchiveRow, snapshot: Snapshot): Span {
  return record.parts
    ? groupStatus(record as Required<ArchiveRow>, snapshot)
    : provenStatus(record, snapshot);
}

/** Why it failed, else which times it holds. */
export function archiveNote(record: ArchiveRow, snapshot: Snapshot): Span {
  const verdict = verdictOf(snapshot, record.filename, record.id);
  if (record.status === 'failed' && record.error_message) return { text: record.error_message, tone: 'bad' };
  if (verdict && !verdict.ok) return { text: verdict.message, tone: 'bad' };
  const files = record.parts ? `${plural(record.parts.length, 'file')}, ` : '';
  return { text: files + archiveRange(record), tone: 'dim' };
}

/** The job whose figures are the archive's: one that makes several tells of all of them together. */
export function liveJob(record: ArchiveRecord, snapshot: Snapshot): JobView | undefined {
  return record.status === 'in_progress' && record.period_label === null
    ? archivingJob(snapshot.jobs, record.fractal_id)
    : undefined;
}

/** From its first log to its last. */
export function archiveRange(record: ArchiveRecord): string {
  const { time_range_start: from, time_range_end: to } = record;
  if (from === null && to === null) return record.period_label ?? '-';
  return `${formatStamp(from)} to ${formatStamp(to)}`;
}
