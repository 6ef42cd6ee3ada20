import { canCopy, copy } from '../hooks/copy.ts';
import { quit, startBackup } from '../hooks/deeds.ts';
import type { Session } from '../hooks/session.ts';
import type { Command } from './command.ts';

function refresh(session: Session): void {
  session.refresh();
  session.say('info', 'Loading everything again', { quiet: true });
}

/** What can be done from any screen and is named in every footer. */
export const ALWAYS: readonly Command[] = [
  {
    name: 'backup',
    keys: ['b'],
    label: 'backup',
    description: 'Back up the PostgreSQL database',
    group: 'general',
    changes: true,
    run: startBackup,
  },
  {
    name: 'help',
    keys: ['?'],
    label: 'help',
    description: 'Show what this screen can do',
    group: 'general',
    run: (session) => session.dispatch({ type: 'mode', mode: { name: 'help', top: 0 } }),
  },
  {
    name: 'quit',
    keys: ['q', 'ctrl-c'],
    label: 'quit',
    description: 'Leave; running jobs go on',
    group: 'general',
    run: quit,
  },
];

/** What else can be done from any screen. */
export const GENERAL: readonly Command[] = [
  {
    name: 'copy',
    keys: ['y'],
    label: 'copy',
    description: "Copy a path, an id or a checksum to your terminal's clipboard",
    group: 'here',
    disabled: (snapshot) => (canCopy(snapshot) ? undefined : 'there is nothing to copy here'),
    run: copy,
  },
  {
    name: 'palette',
    keys: [':'],
    label: 'commands',
    description: 'Find a command by its name',
    group: 'general',
    run: (session) => session.dispatch({ type: 'mode', mode: { name: 'palette', query: '', index: 0 } }),
  },
  {
    name: 'refresh',
    keys: ['r'],
    label: 'refresh',
    description: 'Load everything again',
    group: 'general',
    run: refresh,
  },
];

/** What is done to the terminal. */
export const TERMINAL: readonly Command[] = [
  {
    name: 'repaint',
    keys: ['ctrl-l'],
    description: 'Draw the screen anew',
    group: 'general',
    run: (session) => session.hands.repaint(),
  },
  {
    name: 'suspend',
    keys: ['ctrl-z'],
    description: 'Suspend; fg brings it back',
    group: 'general',
    run: (session) => session.hands.suspend(),
  },
];
