import type { ArchiveRecord } from '../../core/index.ts';
import { formatStamp } from '../../core/text/time.ts';

type Named = Pick<ArchiveRecord, 'fractal_name' | 'period_label' | 'created_at'>;

/** A readable name of an archive: its fractal, and its period if it is part of a group, else when it was created. */
export function archiveName({ fractal_name, period_label, created_at }: Named): string {
  return `${fractal_name}, ${period_label ?? formatStamp(created_at)}`;
}
