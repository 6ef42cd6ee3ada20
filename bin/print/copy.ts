import type { CopySummary } from '../../src/core/features/copy/copy.ts';
import type { CopyPlan } from '../../src/core/index.ts';
import { formatDuration } from '../../src/core/text/time.ts';
import { formatBytes, plural } from '../../src/core/text/units.ts';
import { table } from './tables.ts';

/** The plan of a copy, for people. */
export function copyPlanLines({ items, move, size_bytes }: CopyPlan): string[] {
  const count = items.filter(({ action }) => action === 'copy').length;
  const action = move ? 'moved' : 'copied';
  return [
    ...table(items, [
      { title: 'FILE', cell: ({ from_path }) => from_path },
      { title: 'SIZE', cell: ({ size_bytes: size }) => formatBytes(size), right: true },
      { title: 'TO', cell: ({ to_path, refusal }) => refusal?.message ?? to_path },
    ]),
    count === 0
      ? 'No files can be copied'
      : `${plural(count, 'file')} (${formatBytes(size_bytes)}) will be ${action}`,
  ];
}

export function copySummaryLines({ copied, size_bytes, moved, duration_ms }: CopySummary): string[] {
  const action = moved ? 'moved' : 'copied';
  return [`${plural(copied, 'file')} ${action}, ${formatBytes(size_bytes)}, ${formatDuration(duration_ms)}`];
}
