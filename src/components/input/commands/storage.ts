import { otherStorage, selectedDeleteTargets, selectedStoredFiles } from '../../state/selection.ts';
import { copySelected, deleteSelected } from '../../state/storage-actions.ts';
import type { ScreenName, Snapshot } from '../../view/types.ts';
import type { Command } from './command.ts';

const STORED: readonly ScreenName[] = [
  'archives',
  'fractal-archives',
  'group',
  'archive',
  'backups',
  'backup',
];

function noTarget(snapshot: Snapshot): string | undefined {
  return selectedDeleteTargets(snapshot).length > 0 ? undefined : 'nothing selected, or it is in use';
}

function noCopy(snapshot: Snapshot): string | undefined {
  if (!snapshot.installation.storage.startsWith('s3://'))
    return 'only one storage is configured (BIFRACT_S3_BUCKET is not set)';
  if (selectedStoredFiles(snapshot).length === 0) return 'no complete file selected';
  return otherStorage(snapshot) === undefined
    ? 'the selected files are in different storages; select files of one storage'
    : undefined;
}

/** Commands on files in storage. */
export const STORAGE: readonly Command[] = [
  {
    name: 'delete',
    keys: ['D'],
    label: 'delete',
    description: 'Delete the selected files; shows a plan and asks for confirmation',
    screens: STORED,
    group: 'here',
    changesData: true,
    disabled: noTarget,
    run: deleteSelected,
  },
  {
    name: 'copy to',
    keys: ['C'],
    label: 'to S3/disk',
    description: 'Copy the selected files to the other storage; shows a plan first',
    screens: STORED,
    group: 'here',
    changesData: true,
    disabled: noCopy,
    run: copySelected,
  },
];
