import { chosenStored, chosenTargets, otherStorage } from '../hooks/chosen.ts';
import { copyChosen, deleteChosen } from '../hooks/storage-deeds.ts';
import type { PlaceName, Snapshot } from '../view/types.ts';
import type { Command } from './command.ts';

const STORED: readonly PlaceName[] = [
  'archives',
  'fractal-archives',
  'group',
  'archive',
  'backups',
  'backup',
];

function noTarget(snapshot: Snapshot): string | undefined {
  return chosenTargets(snapshot).length > 0 ? undefined : 'there is nothing here, or it is being worked on';
}

function noCopy(snapshot: Snapshot): string | undefined {
  if (!snapshot.installation.storage.startsWith('s3://'))
    return 'there is one storage only: BIFRACT_S3_BUCKET is not set';
  if (chosenStored(snapshot).length === 0) return 'there is no finished file here';
  return otherStorage(snapshot) === undefined
    ? 'some of the marked are on disk, some on S3: mark those of one'
    : undefined;
}

/** What is done with whole files in storage. */
export const STORAGE: readonly Command[] = [
  {
    name: 'delete',
    keys: ['D'],
    label: 'delete',
    description: 'Delete the file, or all that are marked; shows the plan, wants a word typed',
    at: STORED,
    group: 'here',
    changes: true,
    disabled: noTarget,
    run: deleteChosen,
  },
  {
    name: 'copy to',
    keys: ['C'],
    label: 'to S3/disk',
    description: 'Copy the file, or all that are marked, to the other storage; shows the plan',
    at: STORED,
    group: 'here',
    changes: true,
    disabled: noCopy,
    run: copyChosen,
  },
];
