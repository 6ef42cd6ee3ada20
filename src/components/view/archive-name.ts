import { type ArchiveRecord, parseArchiveName } from '../../core/index.ts';
import { formatStamp } from '../../core/text/time.ts';
import { baseName } from '../text/text.ts';
import { memo } from './snapshot.ts';
import type { DataState } from './types.ts';

type Named = Pick<ArchiveRecord, 'fractal_name' | 'period_label' | 'created_at'>;

/** A readable name of an archive: its fractal, and its period if it is part of a group, else when it was created. */
export function archiveName({ fractal_name, period_label, created_at }: Named): string {
  return `${fractal_name}, ${period_label ?? formatStamp(created_at)}`;
}

const byNames = memo((archives: readonly ArchiveRecord[]): ReadonlyMap<string, ArchiveRecord> => {
  return new Map(
    archives.flatMap((record) => [[record.id, record] as const, [record.filename, record] as const]),
  );
});

const NO_ARCHIVES: readonly ArchiveRecord[] = [];

/** The period of an archive by its file name, else when it was created; undefined for any other name. */
export function fileTime(path: string): string | undefined {
  const parsed = parseArchiveName(baseName(path));
  // File names spell a period without spaces and colons.
  const period = parsed?.label?.replace(/_(\d\d)(\d\d)$/, ' $1:$2').replaceAll('_', ' ');
  return period ?? (parsed && formatStamp(parsed.created_at.getTime()));
}

/**
 * A readable name of an archive by its ID, its file name or a path: fractal, and period or time of creation. Without a
 * record the file name says that. Any other name is returned without its folders.
 */
export function fileTitle(path: string, data: Pick<DataState, 'archives' | 'fractals'>): string {
  const name = baseName(path);
  const record = byNames(data.archives.value ?? NO_ARCHIVES).get(name);
  if (record) return archiveName(record);
  const fractal_id = parseArchiveName(name)?.fractal_id;
  if (fractal_id === undefined) return name;
  const fractal = data.fractals.value?.find(({ id }) => id === fractal_id);
  return `${fractal?.name ?? `fractal ${fractal_id.slice(0, 8)}`}, ${fileTime(name)}`;
}
