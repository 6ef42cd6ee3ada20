import type { Fractal } from '../../../core/index.ts';
import { ageOf, formatAge, timeOf } from '../../../core/text/time.ts';
import { formatCount, formatPercent } from '../../../core/text/units.ts';
import { formatBytes, formatStamp, zoneName } from '../../text/display.ts';
import type { Span } from '../../text/line.ts';
import { spinnerAt } from '../../text/symbols.ts';
import { memo } from '../snapshot.ts';
import type { Snapshot } from '../types.ts';
import { type ArchiveRow, archiveRows } from './archive-rows.ts';
import { jobOfFractal, sizeColumn } from './file-cells.ts';
import { type ListDefinition, listOf } from './list.ts';

/** A fractal and its newest archive or group. */
export interface FractalRecord extends Fractal {
  last?: ArchiveRow;
}

/** Adds the newest archive to each fractal. */
export const withLastArchive = memo(
  (fractals: readonly Fractal[], archives: readonly ArchiveRow[]): readonly FractalRecord[] => {
    const last = new Map<string, ArchiveRow>();
    for (const archive of archives) {
      const known = last.get(archive.fractal_id);
      if (!known || archive.created_at > known.created_at) last.set(archive.fractal_id, archive);
    }
    return fractals.map((fractal) => ({ ...fractal, last: last.get(fractal.id) }));
  },
);

const NO_FRACTALS: readonly Fractal[] = [];

export function fractalRecords(snapshot: Snapshot): readonly FractalRecord[] {
  return withLastArchive(snapshot.data.fractals.value ?? NO_FRACTALS, archiveRows(snapshot));
}

/** The status of the running job, else of the newest archive. */
export function lastArchive(record: FractalRecord, { symbols, jobs, now }: Snapshot): Span {
  const job = jobOfFractal(jobs, record.id);
  if (job) {
    const part = job.fraction === undefined ? '' : ` ${formatPercent(job.fraction)}`;
    return {
      text: `${spinnerAt(symbols, now)} ${job.kind === 'archive' ? 'archiving' : 'restoring'}${part}`,
      tone: 'info',
    };
  }
  if (!record.last) return { text: 'never', tone: record.log_count > 0 ? 'warn' : 'dim' };
  const age = formatAge(ageOf(record.last.created_at, now) ?? 0);
  switch (record.last.status) {
    case 'completed':
      return { text: `${symbols.ok} ${age}`, tone: 'good' };
    case 'failed':
      return { text: `${symbols.bad} failed ${age}`, tone: 'bad' };
    case 'in_progress':
      return { text: `${symbols.dot} archiving`, tone: 'info' };
    case 'restoring':
      return { text: `${symbols.dot} restoring`, tone: 'info' };
  }
}

const definition: ListDefinition<FractalRecord> = {
  columns: [
    {
      id: 'name',
      title: 'Fractal',
      width: 14,
      grow: 3,
      cell: (record) => [
        { text: record.name },
        ...(record.is_default && record.name !== 'default'
          ? [{ text: ' (default)', tone: 'dim' } as const]
          : []),
        ...(record.is_system && record.name !== 'system'
          ? [{ text: ' (system)', tone: 'dim' } as const]
          : []),
      ],
      value: (record) => record.name.toLowerCase(),
    },
    {
      id: 'logs',
      title: 'Rows',
      width: 6,
      align: 'right',
      cell: (record) => ({ text: formatCount(record.log_count) }),
      value: (record) => record.log_count,
    },
    sizeColumn,
    {
      id: 'oldest',
      get title() {
        return `Oldest (${zoneName()})`;
      },
      width: 16,
      drop: 3,
      cell: (record) => ({ text: formatStamp(record.earliest_log), tone: 'dim' }),
      value: (record) => timeOf(record.earliest_log),
    },
    {
      id: 'newest',
      title: 'Newest',
      width: 6,
      align: 'right',
      cell: (record, { now }) => {
        const age = ageOf(record.latest_log, now);
        return age === undefined ? { text: '-', tone: 'dim' } : { text: formatAge(age) };
      },
      value: (record) => timeOf(record.latest_log),
    },
    {
      id: 'schedule',
      title: 'Schedule',
      width: 8,
      cell: (record) => ({
        text: record.archive_schedule,
        tone: record.archive_schedule === 'never' ? 'dim' : 'plain',
      }),
      value: (record) => record.archive_schedule,
    },
    {
      id: 'last',
      title: 'Last archive',
      width: 15,
      cell: lastArchive,
      value: (record) => timeOf(record.last?.created_at),
    },
    {
      id: 'last_size',
      title: 'Archived',
      width: 9,
      align: 'right',
      drop: 2,
      cell: (record) => ({ text: record.last ? formatBytes(record.last.size_bytes) : '-', tone: 'dim' }),
      value: (record) => record.last?.size_bytes,
    },
    {
      id: 'retention',
      title: 'Retention',
      width: 9,
      align: 'right',
      drop: 4,
      cell: (record) => ({
        text: record.retention_days === null ? 'forever' : `${record.retention_days}d`,
        tone: 'dim',
      }),
      value: (record) => record.retention_days ?? undefined,
    },
    {
      id: 'description',
      title: 'Description',
      width: 20,
      grow: 4,
      drop: 5,
      cell: (record) => ({ text: record.description ?? '', tone: 'dim' }),
      value: (record) => record.description ?? undefined,
    },
  ],
  records: fractalRecords,
  id: (record) => record.id,
  search: (record) => `${record.name} ${record.description ?? ''} ${record.archive_schedule}`,
  sort: { column: 'name', descending: false },
};

export const fractalsList = listOf(definition);
