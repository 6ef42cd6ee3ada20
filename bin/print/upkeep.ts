import type { PrunePlan, RotatePlan } from '../../src/core/index.ts';
import { formatStamp } from '../../src/core/text/time.ts';
import { formatBytes, plural } from '../../src/core/text/units.ts';
import { table } from './tables.ts';

export function prunePlanLines({ items, freed_bytes }: PrunePlan): string[] {
  if (items.length === 0) return ['No backups.'];
  const count = items.filter(({ action }) => action === 'delete').length;
  return [
    ...table(items, [
      { title: 'NAME', cell: ({ name }) => name },
      { title: 'CREATED', cell: ({ created_at }) => `${formatStamp(created_at)}Z` },
      { title: 'SIZE', cell: ({ size_bytes }) => formatBytes(size_bytes), right: true },
      {
        title: 'ACTION',
        cell: ({ reasons }) => (reasons.length > 0 ? `keep: ${reasons.join(', ')}` : 'delete'),
      },
    ]),
    count === 0
      ? 'Nothing will be deleted'
      : `${plural(count, 'backup')} (${formatBytes(freed_bytes)}) will be deleted`,
  ];
}

const ACTIONS = { reencrypt: 're-encrypt', keep: 'keep: done', skip: 'skip: no known key' };

export function rotatePlanLines({ items, current_key_id, resumes }: RotatePlan): string[] {
  const summary = resumes
    ? `An interrupted rotation will resume with key ${current_key_id}.`
    : `Key ${current_key_id} will be replaced by a new one.`;
  if (items.length === 0) return [summary, 'No files.'];
  return [
    summary,
    ...table(items, [
      { title: 'FILE', cell: ({ name }) => name },
      { title: 'SIZE', cell: ({ size_bytes }) => formatBytes(size_bytes), right: true },
      { title: 'KEY', cell: ({ key_id }) => key_id ?? '?' },
      { title: 'ACTION', cell: ({ action }) => ACTIONS[action] },
    ]),
  ];
}
