import { canCopy, copy } from '../../state/copy-menu.ts';
import { askForBackup, quit } from '../../state/job-actions.ts';
import { go, leavePage, move } from '../../state/navigation.ts';
import type { Session } from '../../state/session.ts';
import { isNotInstalled } from '../../view/setup.ts';
import type { ScreenName } from '../../view/types.ts';
import { type Command, LIST_SCREENS, PAGES } from './command.ts';

function refresh(session: Session) {
  // A directory without an installation is opened again: there may be one by now.
  const { installation } = session.snapshot();
  if (isNotInstalled(session.snapshot())) return session.leave(installation.dir);
  session.refresh();
  session.notify('info', 'Reloading all data', { quiet: true });
}

/** Commands of every screen, first in the footer. */
export const ALWAYS: readonly Command[] = [
  {
    name: 'backup',
    verb: 'back up',
    keys: ['b'],
    label: 'backup',
    description: 'Back up the PostgreSQL database; asks first',
    group: 'general',
    changesData: true,
    run: askForBackup,
  },
  {
    name: 'help',
    keys: ['?'],
    label: 'help',
    description: 'Show the keys of this screen',
    group: 'general',
    changesData: false,
    run: (session) => session.dispatch({ type: 'mode', mode: { name: 'help', top: 0 } }),
  },
  {
    name: 'quit',
    keys: ['q', 'ctrl-c'],
    label: 'quit',
    description: 'Quit; running jobs continue',
    group: 'general',
    changesData: false,
    run: (session) => quit(session),
  },
  {
    name: 'leave page',
    keys: ['q'],
    description: 'Go back to where this page was opened',
    screens: PAGES,
    group: 'general',
    changesData: false,
    run: leavePage,
  },
];

const COPY_SCREENS: readonly ScreenName[] = [
  ...LIST_SCREENS,
  ...([
    'overview',
    'fractal',
    'archive',
    'backup',
    'job',
    'entry',
    'orphan',
    'coverage',
    'wizard',
    'setup',
  ] as const),
];

/** More commands of every screen. */
export const GENERAL: readonly Command[] = [
  {
    name: 'copy to clipboard',
    keys: ['y'],
    label: 'copy',
    description: 'Copy a path, ID or checksum to the clipboard',
    screens: COPY_SCREENS,
    group: 'here',
    changesData: false,
    disabled: (snapshot) => (canCopy(snapshot) ? undefined : 'nothing to copy here'),
    run: copy,
  },
  {
    name: 'palette',
    keys: [':'],
    label: 'commands',
    description: 'Run a command, or jump to a fractal, backup, archive or installation, by name',
    group: 'general',
    changesData: false,
    run: (session) => session.dispatch({ type: 'mode', mode: { name: 'palette', query: '', index: 0 } }),
  },
  {
    name: 'refresh',
    keys: ['r'],
    label: 'refresh',
    description: 'Reload all data',
    group: 'general',
    changesData: false,
    run: refresh,
  },
];

/** Commands on the terminal itself. */
export const TERMINAL: readonly Command[] = [
  {
    name: 'repaint',
    keys: ['ctrl-l'],
    description: 'Redraw the screen',
    group: 'general',
    changesData: false,
    run: (session) => session.terminal.repaint(),
  },
  {
    name: 'suspend',
    keys: ['ctrl-z'],
    description: 'Suspend the console; resume it with fg',
    group: 'general',
    changesData: false,
    run: (session) => session.terminal.suspend(),
  },
];

function screen(key: string, name: ScreenName, title: string, ...more: string[]): Command {
  return {
    name,
    keys: [key, ...more],
    description: `Show ${title}`,
    group: 'go',
    changesData: false,
    run: (session) => go(session, { name }),
  };
}

/** Screens by number. */
export const SCREENS: readonly Command[] = [
  screen('1', 'overview', 'the overview'),
  screen('2', 'fractals', 'fractals'),
  screen('3', 'archives', 'archives'),
  screen('4', 'backups', 'backups'),
  screen('5', 'jobs', 'jobs'),
  screen('6', 'log', 'the message log', 'L'),
  screen('7', 'orphans', 'orphaned files and records'),
];

/** They also have the keys of less. */
const ROWS: readonly ScreenName[] = ['rows', 'row'];

/** Movement within a screen. */
export const MOVES: readonly Command[] = [
  {
    name: 'up',
    keys: ['up', 'k'],
    description: 'Move up',
    group: 'move',
    changesData: false,
    run: (session) => move(session, { rows: -1 }),
  },
  {
    name: 'down',
    keys: ['down', 'j'],
    description: 'Move down',
    group: 'move',
    changesData: false,
    run: (session) => move(session, { rows: 1 }),
  },
  {
    name: 'page up',
    keys: ['pgup', 'ctrl-b'],
    more: { screens: ROWS, keys: ['b'] },
    description: 'Move up one page',
    group: 'move',
    changesData: false,
    run: (session) => move(session, { pages: -1 }),
  },
  {
    name: 'page down',
    keys: ['pgdn', 'ctrl-f'],
    more: { screens: ROWS, keys: [' ', 'f'] },
    description: 'Move down one page',
    group: 'move',
    changesData: false,
    run: (session) => move(session, { pages: 1 }),
  },
  {
    name: 'half page up',
    keys: ['ctrl-u'],
    more: { screens: ROWS, keys: ['u'] },
    description: 'Move up half a page',
    group: 'move',
    changesData: false,
    run: (session) => move(session, { pages: -0.5 }),
  },
  {
    name: 'half page down',
    keys: ['ctrl-d'],
    more: { screens: ROWS, keys: ['d'] },
    description: 'Move down half a page',
    group: 'move',
    changesData: false,
    run: (session) => move(session, { pages: 0.5 }),
  },
  {
    name: 'top',
    keys: ['g', 'home'],
    description: 'Go to the top',
    group: 'move',
    changesData: false,
    run: (session) => move(session, { to: 'first' }),
  },
  {
    name: 'bottom',
    keys: ['G', 'end'],
    description: 'Go to the bottom',
    group: 'move',
    changesData: false,
    run: (session) => move(session, { to: 'last' }),
  },
];
