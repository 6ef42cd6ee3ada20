import { selectedRestoreSource } from '../../state/selection.ts';
import { applyChoice, cancelWizard, openWizard, stepBack, toggleChoice } from '../../state/wizard/actions.ts';
import type { Command } from './command.ts';

/** Opens a restore. */
export const RESTORING: readonly Command[] = [
  {
    name: 'restore',
    keys: ['R'],
    label: 'restore',
    description: 'Restore the backup or archive step by step; nothing is changed before the last step',
    screens: ['backups', 'backup', 'archives', 'fractal-archives', 'group', 'archive', 'orphans', 'orphan'],
    group: 'here',
    changesData: true,
    disabled: (snapshot) =>
      selectedRestoreSource(snapshot) ? undefined : 'no backup or complete archive selected',
    run: openWizard,
  },
];

/** Commands on the pages of a restore. */
export const WIZARD: readonly Command[] = [
  {
    name: 'continue',
    keys: ['enter', 'right', 'l'],
    label: 'continue',
    description: 'Continue with the choice under the cursor',
    screens: ['wizard'],
    group: 'here',
    changesData: true,
    run: (session) => applyChoice(session),
  },
  {
    name: 'toggle',
    keys: [' '],
    label: 'toggle',
    description: 'Turn the option under the cursor on or off, or choose it without continuing',
    screens: ['wizard'],
    group: 'here',
    changesData: false,
    run: toggleChoice,
  },
  {
    name: 'step back',
    keys: ['esc', 'left', 'h', 'backspace'],
    label: 'back',
    description: 'Stop planning, or go back one step; on the first step, leave',
    screens: ['wizard'],
    group: 'here',
    changesData: false,
    run: stepBack,
  },
  {
    name: 'cancel restore',
    keys: ['x'],
    label: 'cancel',
    description: 'Cancel the restore; nothing has been changed',
    screens: ['wizard'],
    group: 'here',
    changesData: false,
    run: cancelWizard,
  },
];
