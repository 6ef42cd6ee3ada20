import type { ArchiveRecord, JobView } from '../../../core/index.ts';
import { spinnerAt } from '../glyphs.ts';
import { memo } from '../memo.ts';
import { type Column, type ListDefinition, listOf } from '../rows.ts';
import { ageOf, formatAge, formatStamp, timeOf } from '../time.ts';
import type { Place, Snapshot, Span } from '../types.ts';
import { formatBytes, formatCount, formatPercent } from '../units.ts';
import { verdictOf } from '../verdict.ts';

const NONE: readonly ArchiveRecord[] = [];

/** The running job of ours that works on this fractal. */
export function jobOfFractal(jobs: readonly JobView[], fractal: string): JobView | undefined {
  return jobs.find((job) => job.ended_at === undefined && job.target?.id === fractal);
}

/** An archive's status in words, live where the work is ours. */
export function archiveStatus(record: ArchiveRecord, snapshot: Snapshot): Span {
  const { glyphs, jobs, now, busy } = snapshot;
  const doing = busy.get(record.id);
  if (doing !== undefined) return { text: `${spinnerAt(glyphs, now)} ${doing}`, tone: 'warn' };
  switch (record.status) {
    case 'completed':
      return { text: `${glyphs.ok} Completed`, tone: 'good' };
    case 'failed':
      return { text: `${glyphs.bad} Failed`, tone: 'bad' };
    case 'restoring':
      return { text: `${spinnerAt(glyphs, now)} Restoring`, tone: 'info' };
    case 'in_progress': {
      const job = jobOfFractal(jobs, record.fractal_id);
      // What another process does is told by its record only.
      if (!job) return { text: `${glyphs.dot} Archiving`, tone: 'info' };
      const part = job.fraction === undefined ? '' : ` ${formatPercent(job.fraction)}`;
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

function note(record: ArchiveRecord, snapshot: Snapshot): Span {
  const verdict = verdictOf(snapshot, record.filename, record.id);
  if (record.status === 'failed' && record.error_message) return { text: record.error_message, tone: 'bad' };
  if (verdict && !verdict.ok) return { text: verdict.message, tone: 'bad' };
  return { text: range(record), tone: 'dim' };
}

function live(record: ArchiveRecord, snapshot: Snapshot): JobView | undefined {
  return record.status === 'in_progress' ? jobOfFractal(snapshot.jobs, record.fractal_id) : undefined;
}

function range(record: ArchiveRecord): string {
  const { time_range_start: from, time_range_end: to } = record;
  if (from === null && to === null) return record.period_label ?? '-';
  return `${formatStamp(from)} to ${formatStamp(to)}`;
}

const columns: readonly Column<ArchiveRecord>[] = [
  {
    id: 'fractal',
    title: 'Fractal',
    width: 12,
    grow: 2,
    cell: (record) => ({ text: record.fractal_name }),
    value: (record) => record.fractal_name,
  },
  {
    id: 'status',
    title: 'Status',
    width: 15,
    cell: provenStatus,
    value: (record) => record.status,
  },
  {
    id: 'size',
    title: 'Size',
    width: 9,
    align: 'right',
    cell: (record, snapshot) => ({
      text: formatBytes(live(record, snapshot)?.progress.bytes_out ?? record.size_bytes),
    }),
    value: (record) => record.size_bytes,
  },
  {
    id: 'rows',
    title: 'Rows',
    width: 6,
    align: 'right',
    cell: (record, snapshot) => ({
      text: formatCount(live(record, snapshot)?.progress.rows ?? record.log_count),
    }),
    value: (record) => record.log_count,
  },
  {
    id: 'age',
    title: 'Age',
    width: 4,
    align: 'right',
    cell: (record, { now }) => ({ text: formatAge(ageOf(record.created_at, now) ?? 0) }),
    value: (record) => timeOf(record.created_at),
  },
  {
    id: 'note',
    title: 'Reason or range',
    width: 18,
    grow: 3,
    cell: note,
    value: (record) => record.error_message ?? range(record),
  },
  {
    id: 'type',
    title: 'Type',
    width: 9,
    drop: 2,
    cell: (record) => ({ text: record.archive_type, tone: 'dim' }),
    value: (record) => record.archive_type,
  },
  {
    id: 'created',
    title: 'Created (UTC)',
    width: 16,
    drop: 1,
    cell: (record) => ({ text: formatStamp(record.created_at), tone: 'dim' }),
    value: (record) => timeOf(record.created_at),
  },
];

const definition: ListDefinition<ArchiveRecord> = {
  columns,
  records: ({ data }) => data.archives.value ?? NONE,
  id: (record) => record.id,
  search: (record) =>
    `${record.fractal_name} ${record.status} ${record.archive_type} ${record.filename} ${record.error_message ?? ''}`,
  sort: { column: 'age', descending: true },
};

const ofFractal = memo((archives: readonly ArchiveRecord[], fractal: string | undefined) =>
  archives.filter((record) => record.fractal_id === fractal),
);

export const archivesList = listOf(definition);

export const fractalArchivesList = listOf({
  ...definition,
  columns: columns.filter((column) => column.id !== 'fractal'),
  records: ({ data }: Snapshot, place: Place) => ofFractal(data.archives.value ?? NONE, place.subject),
});
