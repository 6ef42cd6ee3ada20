import type { ArchiveRecord, JobView } from '../../../core/index.ts';
import { spinnerAt } from '../glyphs.ts';
import { memo } from '../memo.ts';
import { type Column, type ListDefinition, listOf } from '../rows.ts';
import { ageOf, formatAge, formatStamp, timeOf } from '../time.ts';
import type { Place, Snapshot, Span } from '../types.ts';
import { formatBytes, formatCount, formatPercent, plural } from '../units.ts';
import { verdictOf } from '../verdict.ts';
import { type ArchiveRow, archiveRows, groupOf } from './archive-rows.ts';

/** The running job of ours that works on this fractal. */
export function jobOfFractal(jobs: readonly JobView[], fractal: string): JobView | undefined {
  return jobs.find((job) => job.ended_at === undefined && job.target?.id === fractal);
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
      const job = jobOfFractal(jobs, record.fractal_id);
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

function statusCell(record: ArchiveRow, snapshot: Snapshot): Span {
  return record.parts
    ? groupStatus(record as Required<ArchiveRow>, snapshot)
    : provenStatus(record, snapshot);
}

function note(record: ArchiveRow, snapshot: Snapshot): Span {
  const verdict = verdictOf(snapshot, record.filename, record.id);
  if (record.status === 'failed' && record.error_message) return { text: record.error_message, tone: 'bad' };
  if (verdict && !verdict.ok) return { text: verdict.message, tone: 'bad' };
  const files = record.parts ? `${plural(record.parts.length, 'file')}, ` : '';
  return { text: files + range(record), tone: 'dim' };
}

/** The job whose figures are the archive's: one that makes several tells of all of them together. */
function live(record: ArchiveRecord, snapshot: Snapshot): JobView | undefined {
  return record.status === 'in_progress' && record.period_label === null
    ? jobOfFractal(snapshot.jobs, record.fractal_id)
    : undefined;
}

function range(record: ArchiveRecord): string {
  const { time_range_start: from, time_range_end: to } = record;
  if (from === null && to === null) return record.period_label ?? '-';
  return `${formatStamp(from)} to ${formatStamp(to)}`;
}

const columns: readonly Column<ArchiveRow>[] = [
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
    cell: statusCell,
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

const definition: ListDefinition<ArchiveRow> = {
  columns,
  records: archiveRows,
  id: (record) => record.id,
  search: (record) =>
    `${record.fractal_name} ${record.status} ${record.archive_type} ${record.filename} ${record.error_message ?? ''}`,
  sort: { column: 'age', descending: true },
};

const ofFractal = memo((archives: readonly ArchiveRow[], fractal: string | undefined) =>
  archives.filter((record) => record.fractal_id === fractal),
);

export const archivesList = listOf(definition);

export const fractalArchivesList = listOf({
  ...definition,
  columns: columns.filter((column) => column.id !== 'fractal'),
  records: (snapshot: Snapshot, place: Place) => ofFractal(archiveRows(snapshot), place.subject),
});

const period: Column<ArchiveRow> = {
  id: 'period',
  title: 'Period (UTC)',
  width: 24,
  cell: (record) => ({ text: record.period_label ?? '-' }),
  value: (record) => record.period_label ?? undefined,
};

const NO_PARTS: readonly ArchiveRow[] = [];

/** The archives of one group. */
export const groupList = listOf({
  ...definition,
  columns: [period, ...columns.filter(({ id }) => !['fractal', 'type', 'age'].includes(id))],
  records: (snapshot: Snapshot, place: Place) => groupOf(snapshot, place.subject)?.parts ?? NO_PARTS,
  sort: { column: 'period', descending: false },
});
