import {
  adoptSelected,
  confirmClean,
  copySelected,
  deleteSelected,
  verifyAll,
  verifySelected,
} from '../../state/file-actions.ts';
import { openRows } from '../../state/navigation.ts';
import {
  otherStorage,
  selectedArchive,
  selectedDeleteTargets,
  selectedFiles,
  selectedOrphans,
  selectedStoredFiles,
} from '../../state/selection.ts';
import { rowUnderCursor } from '../../view/lists/index.ts';
import type { ScreenName, Snapshot } from '../../view/types.ts';
import type { Command } from './command.ts';

const WITH_FILES: readonly ScreenName[] = [
  'archives',
  'fractal-archives',
  'group',
  'archive',
  'backups',
  'backup',
  'orphans',
  'orphan',
];

const WITH_ARCHIVES = WITH_FILES.filter((name) => !name.startsWith('backup'));

function noFile(snapshot: Snapshot): string | undefined {
  return selectedFiles(snapshot).length > 0 ? undefined : 'no complete file selected';
}

function noArchive(snapshot: Snapshot): string | undefined {
  return selectedArchive(snapshot) === undefined ? 'no complete archive selected' : undefined;
}

function noAdoption(snapshot: Snapshot): string | undefined {
  return selectedOrphans(snapshot, 'adopt').length > 0 ? undefined : 'select a file without a record';
}

function noCleaning(snapshot: Snapshot): string | undefined {
  if (selectedOrphans(snapshot, 'discard', 'fail_record').length > 0) return undefined;
  return rowUnderCursor(snapshot) === undefined && snapshot.data.orphans.value?.length === 0
    ? 'there are no orphans'
    : 'nothing to clean up here; complete files are never deleted';
}

/** Commands on files. */
export const FILES: readonly Command[] = [
  {
    name: 'adopt',
    keys: ['a'],
    label: 'adopt',
    description: 'Create the missing records of the selected files; shows a plan first',
    screens: ['orphans', 'orphan'],
    group: 'here',
    changesData: true,
    disabled: noAdoption,
    run: adoptSelected,
  },
  {
    name: 'clean',
    verb: 'clean up',
    keys: ['c'],
    label: 'clean',
    description: 'Mark records without a file as failed and delete unfinished files; asks first',
    screens: ['orphans', 'orphan'],
    group: 'here',
    changesData: true,
    disabled: noCleaning,
    run: confirmClean,
  },
  {
    name: 'verify',
    keys: ['v'],
    label: 'verify',
    description: 'Verify the selected files: read them in full and check their checksums',
    screens: WITH_FILES,
    group: 'here',
    changesData: false,
    disabled: noFile,
    run: (session) => verifySelected(session, false),
  },
  {
    name: 'rows',
    verb: 'browse rows',
    keys: ['o'],
    label: 'rows',
    description: 'Browse the log lines of the archive',
    screens: WITH_ARCHIVES,
    group: 'here',
    changesData: false,
    disabled: noArchive,
    run: openRows,
  },
];

/** Commands on files that are needed less often. */
export const MORE_FILES: readonly Command[] = [
  {
    name: 'quick check',
    verb: 'check',
    keys: ['V'],
    label: 'quick check',
    description: 'Check only the size, header and trailer of the selected files',
    screens: WITH_FILES,
    group: 'here',
    changesData: false,
    disabled: noFile,
    run: (session) => verifySelected(session, true),
  },
  {
    name: 'verify all',
    keys: ['*'],
    label: 'verify all',
    description: 'Verify every backup and every completed archive',
    screens: ['overview', ...WITH_FILES],
    group: 'here',
    changesData: false,
    run: verifyAll,
  },
];

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
  if (!snapshot.installation.storage.startsWith('s3://')) return 'BIFRACT_S3_BUCKET is not set';
  if (selectedStoredFiles(snapshot).length === 0) return 'no complete file selected';
  return otherStorage(snapshot) === undefined ? 'select files that are all on disk or all on S3' : undefined;
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
    name: 'copy to S3 or disk',
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
