import type { ArchiveGroup, ArchiveRecord, ArchiveStatus, Fractal } from '../../../core/index.ts';
import { memo } from '../snapshot.ts';
import type { Snapshot } from '../types.ts';

/** A row of the list: one archive, or a group of archives that one request was split into. */
export interface ArchiveRow extends ArchiveRecord {
  /** Of a group: its archives, oldest period first, and their number once it is complete. */
  parts?: readonly ArchiveRecord[];
  expected?: number;
}

const NO_ARCHIVES: readonly ArchiveRecord[] = [];
const NO_GROUPS: readonly ArchiveGroup[] = [];
const NO_FRACTALS: readonly Fractal[] = [];

function sum(parts: readonly ArchiveRecord[], value: (part: ArchiveRecord) => number): number {
  return parts.reduce((total, part) => total + value(part), 0);
}

function statusOf(parts: readonly ArchiveRecord[], group: ArchiveGroup | undefined): ArchiveStatus {
  const some = (status: ArchiveStatus) => parts.some((part) => part.status === status);
  if (group?.status === 'in_progress' || some('in_progress')) return 'in_progress';
  if (some('restoring')) return 'restoring';
  const failed = group?.status === 'failed' || group?.status === 'partial' || some('failed');
  return failed ? 'failed' : 'completed';
}

function groupRow(
  parts: readonly [ArchiveRecord, ...ArchiveRecord[]],
  group: ArchiveGroup | undefined,
): ArchiveRow {
  const byPeriod = parts.toSorted((a, b) => ((a.period_label ?? '') < (b.period_label ?? '') ? -1 : 1));
  const [first] = parts;
  const failed = parts.find(({ error_message }) => error_message !== null);
  const times = parts.flatMap(({ time_range_start, time_range_end }) => [time_range_start, time_range_end]);
  const known = times.filter((time) => time !== null).toSorted();
  return {
    ...first,
    id: first.group_id ?? first.id,
    filename: '',
    size_bytes: sum(parts, ({ size_bytes }) => size_bytes),
    log_count: sum(parts, ({ log_count }) => log_count),
    time_range_start: known[0] ?? null,
    time_range_end: known.at(-1) ?? null,
    status: statusOf(parts, group),
    error_message: group?.error_message ?? failed?.error_message ?? null,
    created_at: group?.created_at ?? byPeriod[0]?.created_at ?? first.created_at,
    checksum: null,
    period_label: null,
    parts: byPeriod,
    expected: Math.max(group?.archive_count ?? 0, parts.length),
  };
}

/** A group without archives: none was created yet, or all were deleted. */
function emptyRow(group: ArchiveGroup, fractals: readonly Fractal[]): ArchiveRow {
  const name = fractals.find(({ id }) => id === group.fractal_id)?.name ?? group.fractal_id;
  return {
    id: group.id,
    fractal_id: group.fractal_id,
    fractal_name: name,
    filename: '',
    storage_type: 'disk',
    storage_path: '',
    size_bytes: 0,
    log_count: 0,
    time_range_start: null,
    time_range_end: null,
    status: group.status === 'partial' ? 'failed' : group.status,
    error_message: group.error_message,
    created_by: group.created_by,
    created_at: group.created_at,
    archive_type: group.archive_type,
    format_version: 1,
    archive_end_ts: null,
    checksum: null,
    group_id: group.id,
    period_label: null,
    parts: [],
    expected: group.archive_count,
  };
}

const rowsOf = memo(
  (
    archives: readonly ArchiveRecord[],
    groups: readonly ArchiveGroup[],
    fractals: readonly Fractal[],
  ): readonly ArchiveRow[] => {
    const partsOf = new Map<string, [ArchiveRecord, ...ArchiveRecord[]]>();
    for (const record of archives) {
      if (record.group_id === null || record.period_label === null) continue;
      const parts = partsOf.get(record.group_id);
      if (parts) parts.push(record);
      else partsOf.set(record.group_id, [record]);
    }
    const inUse = new Set(archives.map(({ group_id }) => group_id));
    const known = new Map(groups.map((group) => [group.id, group]));
    return [
      ...archives.filter(({ group_id, period_label }) => group_id === null || period_label === null),
      ...[...partsOf].map(([id, parts]) => groupRow(parts, known.get(id))),
      ...groups.filter(({ id }) => !inUse.has(id)).map((group) => emptyRow(group, fractals)),
    ];
  },
);

/** The rows of the list of archives: those of one request are one row. */
export function archiveRows({ data }: Pick<Snapshot, 'data'>): readonly ArchiveRow[] {
  const { archives, groups, fractals } = data;
  return rowsOf(archives.value ?? NO_ARCHIVES, groups.value ?? NO_GROUPS, fractals.value ?? NO_FRACTALS);
}

const groupsOf = memo(
  (rows: readonly ArchiveRow[]) =>
    new Map(rows.filter((row) => row.parts).map((row) => [row.id, row as Required<ArchiveRow>])),
);

const idsOf = memo((groups: ReadonlyMap<string, unknown>) => [...groups.keys()]);

/** The ids of all groups. */
export function groupIds(snapshot: Pick<Snapshot, 'data'>): readonly string[] {
  return idsOf(groupsOf(archiveRows(snapshot)));
}

/** The group with this id, if there is one. */
export function groupOf(
  snapshot: Pick<Snapshot, 'data'>,
  id: string | undefined,
): Required<ArchiveRow> | undefined {
  return id === undefined ? undefined : groupsOf(archiveRows(snapshot)).get(id);
}

const partIdsOf = memo(
  (rows: readonly ArchiveRow[], ids: ReadonlySet<string>): ReadonlySet<string> =>
    new Set(
      [...ids].flatMap(
        (id) =>
          groupsOf(rows)
            .get(id)
            ?.parts.map((part) => part.id) ?? [id],
      ),
    ),
);

/** Replaces ids of groups by the ids of their archives. */
export function partIds(snapshot: Pick<Snapshot, 'data'>, ids: ReadonlySet<string>): ReadonlySet<string> {
  return partIdsOf(archiveRows(snapshot), ids);
}
