import type { DeleteItem, DeletePlan } from '../../src/core/index.ts';
import { formatStamp } from '../../src/core/text/time.ts';
import { formatBytes, plural } from '../../src/core/text/units.ts';
import { table } from './tables.ts';

/** The plan of a deletion, for people. */
export function deletePlanLines({ items, freed_bytes, backups_left }: DeletePlan): string[] {
  const count = items.filter(({ action }) => action === 'delete').length;
  return [
    ...table(items, [
      { title: 'ITEM', cell: ({ title }) => title },
      { title: 'CREATED', cell: ({ created_at }) => (created_at ? `${formatStamp(created_at)}Z` : '-') },
      { title: 'SIZE', cell: ({ size_bytes }) => formatBytes(size_bytes), right: true },
      { title: 'ACTION', cell: ({ action }) => action },
      { title: 'FILE', cell: ({ path, id }) => path ?? id },
    ]),
    ...items.flatMap(remarks),
    count === 0
      ? 'Nothing will be deleted'
      : `${plural(count, 'item')} (${formatBytes(freed_bytes)}) will be deleted`,
    ...(backups_left ? [remainingLine(backups_left)] : []),
  ];
}

function remarks({ path, id, notes, refusal }: DeleteItem): string[] {
  const name = (path ?? id).split('/').at(-1);
  const reason = refusal ? [`${refusal.message}.${refusal.hint ? ` ${refusal.hint}` : ''}`] : [];
  return [...reason, ...notes].map((note) => `  ${name}: ${note}`);
}

function remainingLine({ count, newest_whole }: NonNullable<DeletePlan['backups_left']>): string {
  if (newest_whole) return `${plural(count, 'backup')} left, the newest readable one is ${newest_whole}`;
  return count === 0 ? 'No backup left' : `${plural(count, 'backup')} left, none of them readable`;
}
