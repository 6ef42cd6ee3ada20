import type { AdoptPlan, Orphan } from '../../src/core/index.ts';
import { sanitize } from '../../src/core/text/sanitize.ts';
import { formatStamp } from '../../src/core/text/time.ts';
import { formatBytes, formatExact } from '../../src/core/text/units.ts';
import { table } from './tables.ts';

/** The plan of an adoption, for people. */
export function adoptPlanLines({ items }: AdoptPlan): string[] {
  if (items.length === 0) return ['Every archive file has a record.'];
  return table(items, [
    { title: 'ACTION', cell: ({ action }) => action },
    { title: 'FILE', cell: ({ path }) => path },
    { title: 'FRACTAL', cell: ({ fractal }) => fractal?.name ?? fractal?.id ?? '-' },
    { title: 'LOGS', cell: ({ rows }) => (rows === null ? '?' : formatExact(rows)), right: true },
    { title: 'SIZE', cell: ({ size_bytes }) => formatBytes(size_bytes), right: true },
    { title: 'REASON', cell: ({ reason }) => reason },
  ]);
}

const COMMANDS = { adopt: 'bifract adopt', fail_record: 'bifract clean', discard: 'bifract clean' } as const;

const RESUMABLE = '  fix: run the same archive command to resume, or `bifract clean` to delete';

/** Three or four lines per orphan: paths are long, and useful only in full. */
export function orphanTable(orphans: Orphan[]): string[] {
  if (orphans.length === 0) return ['No orphans: every file has a record, and every record has a file.'];
  return orphans.flatMap(({ kind, place, title, path, size_bytes, since, actions, goes_on }) => {
    const time = since === null ? [] : [`since ${formatStamp(since)}Z`];
    const unlisted = kind === 'file' && place === 'backups';
    const fix = unlisted
      ? 'use its path, or restore its original name'
      : [...new Set(actions.map((action) => COMMANDS[action]))].join(', ');
    const facts = [formatBytes(size_bytes), ...time, ...(fix && !goes_on ? [`fix: ${fix}`] : [])];
    return [title, `  ${facts.join(', ')}`, ...(goes_on ? [RESUMABLE] : []), `  ${sanitize(path)}`];
  });
}
