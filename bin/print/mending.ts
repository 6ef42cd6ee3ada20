import { sanitize } from '../../src/components/view/sanitize.ts';
import { formatStamp } from '../../src/components/view/time.ts';
import { formatBytes, formatExact, plural } from '../../src/components/view/units.ts';
import type { AdoptPlan, Orphan } from '../../src/core/index.ts';
import type { AdoptSummary } from '../../src/core/jobs/adopt.ts';
import { table } from './tables.ts';

/** What adoption would make of each file. */
export function adoptPlanLines({ items }: AdoptPlan): string[] {
  if (items.length === 0) return ['Every archive file has its record.'];
  return table(items, [
    { title: 'DO', cell: ({ action }) => action },
    { title: 'FILE', cell: ({ path }) => path },
    { title: 'FRACTAL', cell: ({ fractal }) => fractal?.name ?? fractal?.id ?? '-' },
    { title: 'LOGS', cell: ({ rows }) => (rows === null ? '?' : formatExact(rows)), right: true },
    { title: 'SIZE', cell: ({ size_bytes }) => formatBytes(size_bytes), right: true },
    { title: 'WHY', cell: ({ reason }) => reason },
  ]);
}

export function adoptSummaryLines({ adopted, fractals_created }: AdoptSummary): string[] {
  const rows = adopted.reduce((sum, { log_count }) => sum + log_count, 0);
  const made = fractals_created.length > 0 ? `, ${plural(fractals_created.length, 'fractal')} made anew` : '';
  return [`${plural(adopted.length, 'file')} adopted, ${formatExact(rows)} rows${made}`];
}

const DEEDS = { adopt: 'bifract adopt', fail_record: 'bifract clean', discard: 'bifract clean' } as const;

const GOES_ON = '  remedy: the same archive call goes on with it; `bifract clean` removes it';

/** Three short lines, or four, for each: paths are long, and must be whole to be of use. */
export function orphanTable(orphans: Orphan[]): string[] {
  if (orphans.length === 0) return ['No orphans: every file has its record, and every record its file.'];
  return orphans.flatMap(({ kind, place, title, path, size_bytes, since, actions, goes_on }) => {
    const time = since === null ? [] : [`since ${formatStamp(since)}Z`];
    const stranger = kind === 'file' && place === 'backups';
    const remedy = stranger
      ? 'name it by its path, or as it was'
      : [...new Set(actions.map((action) => DEEDS[action]))].join(', ');
    const facts = [formatBytes(size_bytes), ...time, ...(remedy && !goes_on ? [`remedy: ${remedy}`] : [])];
    return [title, `  ${facts.join(', ')}`, ...(goes_on ? [GOES_ON] : []), `  ${sanitize(path)}`];
  });
}
