import type { ArchiveRecord, BackupFile } from '../../../core/index.ts';
import { formatExact, plural } from '../../../core/text/units.ts';
import { formatBytes } from '../../text/display.ts';
import { sparkline } from '../../text/symbols.ts';
import { memo } from '../snapshot.ts';
import type { Snapshot } from '../types.ts';
import { labeled, missing, type OverviewLine } from './line.ts';

const DAY = 86_400_000;
const NONE: readonly never[] = [];

/**
 * Total size of the stored files at the end of each of the last `days` days, the last one being today. Files deleted since
 * are not in it: only what is there now is known.
 */
export function storageGrowth(
  files: readonly { created_at: string; size_bytes: number }[],
  days: number,
  now: number,
): number[] {
  const today = Math.floor(now / DAY);
  const added = new Float64Array(days);
  let before = 0;
  for (const { created_at, size_bytes } of files) {
    const at = days - 1 - (today - Math.floor(Date.parse(created_at) / DAY));
    if (Number.isNaN(at)) continue;
    const day = Math.min(at, days - 1);
    if (day < 0) before += size_bytes;
    else added[day] = (added[day] ?? 0) + size_bytes;
  }
  let sum = before;
  return Array.from(added, (size) => {
    sum += size;
    return sum;
  });
}

const growth = memo(
  (backups: readonly BackupFile[], archives: readonly ArchiveRecord[], days: number, today: number) => {
    const complete = archives.filter(({ status }) => status === 'completed' || status === 'restoring');
    const files = [...backups, ...complete];
    return { sizes: storageGrowth(files, days, today * DAY), archives: complete.length };
  },
);

/** What is stored, and how that grew. */
export function storageLine(snapshot: Snapshot): OverviewLine {
  const { data, now, symbols, columns } = snapshot;
  const none = missing(data.archives) ?? missing(data.backups);
  if (none) return labeled('stored', 'Stored', { name: 'archives' }, none);
  const backups = data.backups.value ?? NONE;
  const days = columns >= 100 ? 60 : 30;
  const { sizes, archives } = growth(backups, data.archives.value ?? NONE, days, Math.floor(now / DAY));
  const [first = 0, last = 0] = [sizes[0], sizes.at(-1)];
  const files = `${plural(backups.length, 'backup')}, ${formatExact(archives)} archives`;
  return labeled(
    'stored',
    'Stored',
    { name: 'archives' },
    { text: sparkline(sizes, symbols), tone: 'accent' },
    { text: `  ${formatBytes(last)}` },
    { text: `, +${formatBytes(last - first)} in ${days} days`, tone: 'dim' },
    { text: columns >= 120 ? `, ${files}` : '', tone: 'dim' },
  );
}
