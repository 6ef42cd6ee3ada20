import type { ArchiveRecord } from '../../../core/index.ts';
import { formatStamp } from '../../../core/text/time.ts';
import { plural } from '../../../core/text/units.ts';
import { baseName } from '../../text/text.ts';
import type { Snapshot } from '../types.ts';

/** The completed archives to restore from: one, or those of a group. */
export function sourceArchives({ data }: Pick<Snapshot, 'data'>, source: string): readonly ArchiveRecord[] {
  const all = data.archives.value ?? [];
  const one = all.find(({ id }) => id === source);
  if (one) return [one];
  return all.filter(({ group_id, status }) => group_id === source && status === 'completed');
}

/** Id of the original fractal, from the record or else from the file. */
export function originalFractal(snapshot: Snapshot, source: string): string | undefined {
  const [first] = sourceArchives(snapshot, source);
  return first?.fractal_id ?? snapshot.reports.get(source)?.value?.fractal?.id;
}

/** A readable name of the source. */
export function sourceTitle(snapshot: Pick<Snapshot, 'data'>, source: string): string {
  const files = sourceArchives(snapshot, source);
  const [first] = files;
  if (!first) return baseName(source);
  const when = `${first.fractal_name} (${formatStamp(first.created_at)})`;
  return files.length > 1 ? `${plural(files.length, 'archive')} of ${when}` : `the archive of ${when}`;
}
