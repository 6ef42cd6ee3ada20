import { openAside } from '../../state/navigation.ts';
import { changeSetting } from '../../state/setting-actions.ts';
import { type Command, noRow } from './command.ts';

/** Commands on the settings. */
export const SETTINGS: readonly Command[] = [
  {
    name: 'change',
    keys: ['enter', ' ', 'right', 'l'],
    label: 'change',
    description: 'Change the setting under the cursor; it is applied and saved at once',
    screens: ['settings'],
    group: 'here',
    changesData: false,
    disabled: noRow,
    run: changeSetting,
  },
];

/** Opens the settings, from every screen. */
export const OPEN_SETTINGS: readonly Command[] = [
  {
    name: 'settings',
    keys: [','],
    description: 'Show and change the settings of the console',
    group: 'go',
    changesData: false,
    run: (session) => openAside(session, 'settings'),
  },
];
