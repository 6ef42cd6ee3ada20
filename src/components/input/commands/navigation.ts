import { go, move } from '../../state/navigation.ts';
import type { ScreenName } from '../../view/types.ts';
import type { Command } from './command.ts';

function screen(key: string, name: ScreenName, title: string, ...more: string[]): Command {
  return {
    name,
    keys: [key, ...more],
    description: `Show ${title}`,
    group: 'go',
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

/** Movement within a screen. */
export const MOVES: readonly Command[] = [
  {
    name: 'up',
    keys: ['up', 'k'],
    description: 'Move up',
    group: 'move',
    run: (session) => move(session, { rows: -1 }),
  },
  {
    name: 'down',
    keys: ['down', 'j'],
    description: 'Move down',
    group: 'move',
    run: (session) => move(session, { rows: 1 }),
  },
  {
    name: 'page up',
    keys: ['pgup', 'ctrl-b'],
    description: 'Move up one page',
    group: 'move',
    run: (session) => move(session, { pages: -1 }),
  },
  {
    name: 'page down',
    keys: ['pgdn', 'ctrl-f'],
    description: 'Move down one page',
    group: 'move',
    run: (session) => move(session, { pages: 1 }),
  },
  {
    name: 'top',
    keys: ['g', 'home'],
    description: 'Go to the top',
    group: 'move',
    run: (session) => move(session, { to: 'first' }),
  },
  {
    name: 'bottom',
    keys: ['G', 'end'],
    description: 'Go to the bottom',
    group: 'move',
    run: (session) => move(session, { to: 'last' }),
  },
];
