import type { CopyPlan } from '../../src/core/index.ts';
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
