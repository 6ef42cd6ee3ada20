import { formatStamp } from '../../src/components/view/time.ts';
import { formatBytes, plural } from '../../src/components/view/units.ts';
import type { DeleteItem, DeletePlan } from '../../src/core/index.ts';
import type { DeleteSummary } from '../../src/core/jobs/delete.ts';
import { table } from './tables.ts';

/** What a deletion will do, for people. */
export function deletePlanLines({ items, freed_bytes, backups_left }: DeletePlan): string[] {
  const going = items.filter(({ action }) => action === 'delete').length;
  return [
    ...table(items, [
      { title: 'WHAT', cell: ({ title }) => title },
      { title: 'CREATED', cell: ({ created_at }) => (created_at ? `${formatStamp(created_at)}Z` : '-') },
      { title: 'SIZE', cell: ({ size_bytes }) => formatBytes(size_bytes), right: true },
      { title: 'FATE', cell: ({ action }) => (action === 'delete' ? 'goes' : 'STAYS') },
      { title: 'FILE', cell: ({ path, id }) => path ?? id },
    ]),
    ...items.flatMap(remarks),
    going === 0 ? 'Nothing goes.' : `${plural(going, 'item')} of ${formatBytes(freed_bytes)} in all go.`,
    ...(backups_left ? [leftLine(backups_left)] : []),
  ];
}

function remarks({ path, id, notes, refusal }: DeleteItem): string[] {
  const name = (path ?? id).split('/').at(-1);
  const why = refusal ? [`${refusal.message}.${refusal.hint ? ` ${refusal.hint}` : ''}`] : [];
  return [...why, ...notes].map((note) => `  ${name}: ${note}`);
}

function leftLine({ count, newest_whole }: NonNullable<DeletePlan['backups_left']>): string {
  if (newest_whole) return `${plural(count, 'backup')} left; the newest that can be read is ${newest_whole}.`;
  return count === 0 ? 'No backup is left.' : `${plural(count, 'backup')} left, none of which can be read.`;
}

export function deleteSummaryLines({ deleted, freed_bytes }: DeleteSummary): string[] {
  return [`${plural(deleted, 'item')} deleted, ${formatBytes(freed_bytes)} freed`];
}
