import { forgetSelected, promptForContext, switchToSelected } from '../../state/context-actions.ts';
import { openAside } from '../../state/navigation.ts';
import { rowUnderCursor } from '../../view/lists/index.ts';
import type { Snapshot } from '../../view/types.ts';
import { type Command, noRow } from './command.ts';

function notSwitchable(snapshot: Snapshot): string | undefined {
  return snapshot.contexts.fixed ?? noRow(snapshot);
}

function notForgettable(snapshot: Snapshot): string | undefined {
  return rowUnderCursor(snapshot) === snapshot.installation.dir ? 'it is open' : noRow(snapshot);
}

/** Commands on the list of installations. */
export const CONTEXTS: readonly Command[] = [
  {
    name: 'switch',
    keys: ['enter', 'right', 'l'],
    label: 'switch',
    description: 'Close this installation and open the one under the cursor; running jobs continue',
    screens: ['contexts'],
    group: 'here',
    changesData: false,
    disabled: notSwitchable,
    run: switchToSelected,
  },
  {
    name: 'open directory',
    keys: ['o'],
    label: 'other directory',
    description: 'Open another installation by its directory',
    screens: ['contexts', 'setup'],
    group: 'here',
    changesData: false,
    disabled: ({ contexts }) => contexts.fixed,
    run: promptForContext,
  },
  {
    name: 'forget',
    keys: ['x'],
    label: 'forget',
    description: 'Remove the installation from this list; nothing else happens to it',
    screens: ['contexts'],
    group: 'here',
    changesData: false,
    disabled: notForgettable,
    run: forgetSelected,
  },
];

/** Opens the list of installations or the state of this one, from every screen. */
export const OPEN_CONTEXTS: readonly Command[] = [
  {
    name: 'setup',
    keys: ['!'],
    description: 'Show what this installation lacks, and the next step',
    group: 'go',
    changesData: false,
    run: (session) => openAside(session, 'setup'),
  },
  {
    name: 'contexts',
    keys: ['@'],
    description: 'Show the installations that were opened, and switch to another one',
    group: 'go',
    changesData: false,
    run: (session) => openAside(session, 'contexts'),
  },
];
