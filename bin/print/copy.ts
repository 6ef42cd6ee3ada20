import { formatDuration } from '../../src/components/view/time.ts';
import { formatBytes, plural } from '../../src/components/view/units.ts';
import type { CopyPlan } from '../../src/core/index.ts';
import type { CopySummary } from '../../src/core/jobs/copy.ts';
import { table } from './tables.ts';

/** What a copy will do, for people. */
export function copyPlanLines({ items, move, size_bytes }: CopyPlan): string[] {
  const going = items.filter(({ action }) => action === 'copy').length;
  const fate = move ? 'moved' : 'copied';
  return [
    ...table(items, [
      { title: 'FILE', cell: ({ from_path }) => from_path },
      { title: 'SIZE', cell: ({ size_bytes: size }) => formatBytes(size), right: true },
      { title: 'TO', cell: ({ to_path, refusal }) => refusal?.message ?? to_path },
    ]),
    going === 0
      ? 'Nothing can be copied.'
      : `${plural(going, 'file')} of ${formatBytes(size_bytes)} will be ${fate}.`,
  ];
}

export function copySummaryLines({ copied, size_bytes, moved, duration_ms }: CopySummary): string[] {
  const deed = moved ? 'moved' : 'copied';
  return [`${plural(copied, 'file')} ${deed}, ${formatBytes(size_bytes)}, ${formatDuration(duration_ms)}`];
}
