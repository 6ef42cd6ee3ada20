import { chosenRestore } from '../hooks/chosen.ts';
import { giveUp, openWizard, stepBack, takeChoice } from '../hooks/wizard-deeds.ts';
import type { Command } from './command.ts';

/** What begins a restore. */
export const RESTORING: readonly Command[] = [
  {
    name: 'restore',
    keys: ['R'],
    label: 'restore',
    description: 'Restore the backup or archive, step by step; nothing happens before the last',
    at: ['backups', 'backup', 'archives', 'fractal-archives', 'group', 'archive', 'orphans', 'orphan'],
    group: 'here',
    changes: true,
    disabled: (snapshot) =>
      chosenRestore(snapshot) ? undefined : 'there is no backup and no complete archive here',
    run: openWizard,
  },
];

/** What can be done on the pages of a restore. */
export const WIZARD: readonly Command[] = [
  {
    name: 'choose',
    keys: ['enter', 'right', 'l'],
    label: 'choose',
    description: 'Take what is under the cursor',
    at: ['wizard'],
    group: 'here',
    run: (session) => takeChoice(session),
  },
  {
    name: 'switch',
    keys: [' '],
    label: 'tick',
    description: 'Switch what is under the cursor on or off',
    at: ['wizard'],
    group: 'here',
    run: (session) => takeChoice(session, 'switch'),
  },
  {
    name: 'step back',
    keys: ['esc', 'left', 'h', 'backspace'],
    label: 'back',
    description: 'Stop the planning, or go back one step; from the first, leave',
    at: ['wizard'],
    group: 'here',
    run: stepBack,
  },
  {
    name: 'give up',
    keys: ['x'],
    label: 'give up',
    description: 'Leave the restore; nothing has happened',
    at: ['wizard'],
    group: 'here',
    run: giveUp,
  },
];
