import { chosenArchive, chosenFiles, chosenOrphans } from '../hooks/chosen.ts';
import { adoptChosen, askToClean, verifyAll, verifyChosen } from '../hooks/file-deeds.ts';
import { openRows } from '../hooks/moves.ts';
import { rowUnderCursor } from '../view/lists/index.ts';
import type { PlaceName, Snapshot } from '../view/types.ts';
import type { Command } from './command.ts';

const WITH_FILES: readonly PlaceName[] = [
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
  return chosenFiles(snapshot).length > 0 ? undefined : 'there is no finished file here';
}

function noArchive(snapshot: Snapshot): string | undefined {
  return chosenArchive(snapshot) === undefined ? 'there is no complete archive here' : undefined;
}

function noAdoption(snapshot: Snapshot): string | undefined {
  return chosenOrphans(snapshot, 'adopt').length > 0 ? undefined : 'no file without a record is chosen';
}

function noCleaning(snapshot: Snapshot): string | undefined {
  if (chosenOrphans(snapshot, 'discard', 'fail_record').length > 0) return undefined;
  return rowUnderCursor(snapshot) === undefined && snapshot.data.orphans.value?.length === 0
    ? 'nothing is lost'
    : 'nothing chosen can be cleaned up; files are never deleted here';
}

/** What is done with files that are there. */
export const FILES: readonly Command[] = [
  {
    name: 'adopt',
    keys: ['a'],
    label: 'adopt',
    description: 'Give the file a record, or all that are marked; shows the plan first',
    at: ['orphans', 'orphan'],
    group: 'here',
    changes: true,
    disabled: noAdoption,
    run: adoptChosen,
  },
  {
    name: 'clean',
    keys: ['c'],
    label: 'clean',
    description: 'Mark lost records as failed, remove what dead runs left; after a question',
    at: ['orphans', 'orphan'],
    group: 'here',
    changes: true,
    disabled: noCleaning,
    run: askToClean,
  },
  {
    name: 'verify',
    keys: ['v'],
    label: 'verify',
    description: 'Read the file, or all that are marked, from end to end, and prove that it is whole',
    at: WITH_FILES,
    group: 'here',
    disabled: noFile,
    run: (session) => verifyChosen(session, false),
  },
  {
    name: 'rows',
    keys: ['o'],
    label: 'rows',
    description: 'Read the log lines of the archive',
    at: WITH_ARCHIVES,
    group: 'here',
    disabled: noArchive,
    run: openRows,
  },
];

/** What is less often wanted of files. */
export const MORE_FILES: readonly Command[] = [
  {
    name: 'quick verify',
    keys: ['V'],
    label: 'ends only',
    description: 'Look at size, both ends and trailer of the file, or of all that are marked',
    at: WITH_FILES,
    group: 'here',
    disabled: noFile,
    run: (session) => verifyChosen(session, true),
  },
  {
    name: 'verify all',
    keys: ['*'],
    label: 'verify all',
    description: 'Verify every backup and every completed archive',
    at: ['overview', ...WITH_FILES],
    group: 'here',
    run: verifyAll,
  },
];
