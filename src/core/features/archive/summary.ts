import type { FileSummary } from '../../format/index.ts';
import type { Fractal } from '../../ports/catalog.ts';
import type { ArchiveChild, ArchiveSummary } from './contract.ts';

export function childOf(
  of: Pick<ArchiveChild, 'archive_id' | 'period_label' | 'storage_path'>,
  file: FileSummary,
): ArchiveChild {
  return {
    archive_id: of.archive_id,
    period_label: of.period_label,
    storage_path: of.storage_path,
    size_bytes: file.size_bytes,
    log_count: file.rows,
    content_bytes: file.content_bytes,
    checksum: file.checksum,
    time_range_start: file.first,
    time_range_end: file.last,
  };
}

/** Totals of the files of an archive, of which there may be none. */
export function summarize(
  fractal: Pick<Fractal, 'id' | 'name'>,
  of: Pick<ArchiveSummary, 'split' | 'window' | 'group_id' | 'continued' | 'children'>,
): Omit<ArchiveSummary, 'duration_ms'> {
  const { split, children } = of;
  const only = split === 'none' ? children[0] : undefined;
  const sum = (key: 'size_bytes' | 'log_count' | 'content_bytes') =>
    children.reduce((total, child) => total + child[key], 0);
  return {
    fractal_id: fractal.id,
    fractal_name: fractal.name,
    ...of,
    archive_id: only?.archive_id ?? null,
    storage_path: only?.storage_path ?? null,
    checksum: only?.checksum ?? null,
    size_bytes: sum('size_bytes'),
    log_count: sum('log_count'),
    content_bytes: sum('content_bytes'),
    time_range_start: children[0]?.time_range_start ?? null,
    time_range_end: children.at(-1)?.time_range_end ?? null,
  };
}
