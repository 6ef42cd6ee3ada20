import { BifractError } from '../../contract/errors.ts';
import { describeFile, type FileDescription, type HeadColumn } from '../../format/index.ts';
import { parseArchiveName } from '../../policy/names.ts';
import { rangeOf } from '../../policy/row-range.ts';
import type { ArchiveRecord } from '../../ports/catalog.ts';
import type { Key } from '../../ports/key.ts';
import type { CallOptions, Timestamp } from '../../ports/types.ts';
import type { Target } from '../files/target.ts';
import { sourceOf } from '../inspect/object-source.ts';
import { readFully } from '../inspect/read-fully.ts';
import type { ArchiveRestoreFile } from './contract.ts';
import type { RowSpan } from './expiry.ts';

/** Typical ratio of content to file size, for files that do not record it. */
export const TYPICAL_COMPRESSION = 8;

/** A file, and what was found out about it. */
export interface InspectedFile {
  file: ArchiveRestoreFile;
  content_bytes: number;
  /** Rows of the frames that overlap the window. */
  rows_within: number;
  /** Parts of its rows with their time ranges. */
  spans: readonly RowSpan[];
  /** Columns of the table that was archived; null if the file does not say. */
  columns: readonly HeadColumn[] | null;
  sealed: boolean;
  fractal: { id: string; name: string | null } | null;
  record: ArchiveRecord | null;
}

/** Describes a file, reading its rows only if neither trailer nor record describe them. */
export async function inspectSource(
  target: Target,
  keys: readonly Key[],
  window: { from: Timestamp | null; to: Timestamp | null },
  options: CallOptions,
): Promise<InspectedFile> {
  const { object, record, path } = target;
  const description = await describeFile(sourceOf(target.storage, object, options), keys, options);
  if (description.head?.kind === 'backup')
    throw new BifractError('NOT_BIFRACT', `${path} is a backup, not an archive`, {
      hint: 'Use `bifract restore` to restore it.',
    });
  const content = description.sealed
    ? fromTrailer(description, window)
    : await fromRecordOrContent(target, keys, options);
  const { head } = description;
  const name = object.name.split('/').at(-1) ?? object.name;
  const fractal_id = record?.fractal_id ?? head?.fractal?.id ?? parseArchiveName(name)?.fractal_id;
  return {
    file: {
      archive_id: record?.id ?? null,
      name,
      path,
      size_bytes: object.size_bytes,
      rows: content.rows,
      first: content.first,
      last: content.last,
      fields: head?.fields === true,
      raw_from: head?.raw_from ?? 'logs',
    },
    content_bytes: content.content_bytes,
    rows_within: content.rows_within,
    spans: content.spans,
    columns: head?.columns ?? null,
    sealed: description.sealed,
    fractal: fractal_id
      ? { id: fractal_id, name: record?.fractal_name ?? head?.fractal?.name ?? null }
      : null,
    record,
  };
}

function fromTrailer(
  { end, index }: FileDescription,
  window: { from: Timestamp | null; to: Timestamp | null },
) {
  const range = rangeOf(window);
  const touched = (index ?? []).filter(({ first, last }) => {
    if (!range || !first || !last) return true;
    return Date.parse(last.ts) >= range.from_ms && Date.parse(first.ts) < range.to_ms;
  });
  const rows = end?.rows ?? 0;
  const within = range ? touched.reduce((sum, frame) => sum + frame.rows, 0) : rows;
  const bytes = range ? touched.reduce((sum, frame) => sum + frame.plain, 0) : (end?.bytes ?? 0);
  return {
    rows,
    first: end?.first ?? null,
    last: end?.last ?? null,
    rows_within: within,
    content_bytes: bytes,
    spans: (index ?? []).map((frame) => ({
      rows: frame.rows,
      first: frame.first?.ts ?? null,
      last: frame.last?.ts ?? null,
    })),
  };
}

/** A file written by the server has no trailer, but its record describes it. */
async function fromRecordOrContent(
  { storage, object, record }: Target,
  keys: readonly Key[],
  { signal }: CallOptions,
) {
  if (record && record.checksum !== null) {
    const { log_count: rows, time_range_start: first, time_range_end: last } = record;
    const content_bytes = TYPICAL_COMPRESSION * object.size_bytes;
    return { rows, first, last, rows_within: rows, content_bytes, spans: [{ rows, first, last }] };
  }
  const { summary, lines } = await readFully(storage, object, { keys, signal });
  const rows = lines?.rows ?? 0;
  const { content_bytes } = summary;
  const [first, last] = [lines?.first ?? null, lines?.last ?? null];
  return { rows, first, last, rows_within: rows, content_bytes, spans: [{ rows, first, last }] };
}
