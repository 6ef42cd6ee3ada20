import { timeOf } from '../../../core/text/time.ts';
import { formatCount } from '../../../core/text/units.ts';
import { formatBytes, formatStamp, zoneName } from '../../text/display.ts';
import { memo } from '../snapshot.ts';
import type { Screen, Snapshot } from '../types.ts';
import { type ArchiveRow, archiveRows, groupOf } from './archive-rows.ts';
import { ageColumn, archiveRange, liveJob, rangeOrError, statusCell } from './file-cells.ts';
import { type Column, type ListDefinition, listOf } from './list.ts';

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
      text: formatBytes(liveJob(record, snapshot)?.progress.bytes_out ?? record.size_bytes),
    }),
    value: (record) => record.size_bytes,
  },
  {
    id: 'rows',
    title: 'Rows',
    width: 6,
    align: 'right',
    cell: (record, snapshot) => ({
      text: formatCount(liveJob(record, snapshot)?.progress.rows ?? record.log_count),
    }),
    value: (record) => record.log_count,
  },
  ageColumn,
  {
    id: 'note',
    title: 'Range / error',
    width: 13,
    grow: 3,
    cell: rangeOrError,
    value: (record) => record.error_message ?? archiveRange(record),
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
    get title() {
      return `Created (${zoneName()})`;
    },
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
  records: (snapshot: Snapshot, screen: Screen) => ofFractal(archiveRows(snapshot), screen.subject),
});

const period: Column<ArchiveRow> = {
  id: 'period',
  title: 'Period (UTC)',
  width: 24,
  cell: (record) => ({ text: record.period_label ?? '-' }),
  value: (record) => record.period_label ?? undefined,
};

const NO_PARTS: readonly ArchiveRow[] = [];

/** Weeks have long periods: only so does the rest fit 80 columns, or less next to a preview. */
const NEXT_TO_PERIOD: Readonly<Record<string, Partial<Column<ArchiveRow>>>> = {
  rows: { drop: 1 },
  note: { width: 15 },
  created: { drop: 2 },
};

/** The archives of one group. */
export const groupList = listOf({
  ...definition,
  columns: [
    period,
    ...columns
      .filter(({ id }) => !['fractal', 'type', 'age'].includes(id))
      .map((column) => ({ ...column, ...NEXT_TO_PERIOD[column.id] })),
  ],
  records: (snapshot: Snapshot, screen: Screen) => groupOf(snapshot, screen.subject)?.parts ?? NO_PARTS,
  sort: { column: 'period', descending: false },
});
