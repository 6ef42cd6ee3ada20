import { formatStamp } from '../../src/components/view/time.ts';
import { formatBytes, plural } from '../../src/components/view/units.ts';
import type { PruneSummary } from '../../src/core/jobs/prune.ts';
import type { RotateSummary } from '../../src/core/jobs/rotate-key.ts';
import type { PrunePlan, RotatePlan } from '../../src/core/upkeep.ts';
import { table } from './tables.ts';

export function prunePlanLines({ items, freed_bytes }: PrunePlan): string[] {
  if (items.length === 0) return ['There are no backups.'];
  const going = items.filter(({ action }) => action === 'delete').length;
  return [
    ...table(items, [
      { title: 'NAME', cell: ({ name }) => name },
      { title: 'CREATED', cell: ({ created_at }) => `${formatStamp(created_at)}Z` },
      { title: 'SIZE', cell: ({ size_bytes }) => formatBytes(size_bytes), right: true },
      { title: 'FATE', cell: ({ reasons }) => (reasons.length > 0 ? `kept: ${reasons.join(', ')}` : 'goes') },
    ]),
    going === 0 ? 'Nothing goes.' : `${plural(going, 'backup')} of ${formatBytes(freed_bytes)} in all go.`,
  ];
}

export function pruneSummaryLines({ deleted, kept, freed_bytes }: PruneSummary): string[] {
  return [
    `${plural(deleted, 'backup')} deleted, ${kept} kept${deleted > 0 ? `, ${formatBytes(freed_bytes)} freed` : ''}`,
  ];
}

const FATES = { reencrypt: 'written anew', keep: 'done already', skip: 'stays: no key opens it' };

export function rotatePlanLines({ items, current_key_id, resumes }: RotatePlan): string[] {
  const what = resumes
    ? `A rotation was begun: the key is ${current_key_id} already.`
    : `The key is ${current_key_id}; a new one takes its place.`;
  if (items.length === 0) return [what, 'There are no files.'];
  return [
    what,
    ...table(items, [
      { title: 'FILE', cell: ({ name }) => name },
      { title: 'SIZE', cell: ({ size_bytes }) => formatBytes(size_bytes), right: true },
      { title: 'KEY', cell: ({ key_id }) => key_id ?? '?' },
      { title: 'FATE', cell: ({ action }) => FATES[action] },
    ]),
  ];
}

export function rotateSummaryLines({ key_id, files, size_bytes }: RotateSummary): string[] {
  return [
    `The key is ${key_id} now; ${plural(files, 'file')} of ${formatBytes(size_bytes)} written under it`,
    'Keep a copy of .env elsewhere, and start the Bifract server again so that it takes the new key.',
    'The key before is kept in BIFRACT_BACKUP_ENCRYPTION_KEY_PREVIOUS, for copies of files elsewhere.',
  ];
}
