import { go, move } from '../hooks/moves.ts';
import type { PlaceName } from '../view/types.ts';
import type { Command } from './command.ts';

function screen(key: string, name: PlaceName, title: string, ...more: string[]): Command {
  return {
    name,
    keys: [key, ...more],
    description: `Show ${title}`,
    group: 'go',
    run: (session) => go(session, { name }),
  };
}

/** The screens, by number. */
export const SCREENS: readonly Command[] = [
  screen('1', 'overview', 'the overview'),
  screen('2', 'fractals', 'the fractals'),
  screen('3', 'archives', 'all archives'),
  screen('4', 'backups', 'the backups'),
  screen('5', 'jobs', 'the jobs of this session'),
  screen('6', 'log', 'what was said so far', 'L'),
  screen('7', 'orphans', 'what has lost its other half'),
];

/** Moving within a screen. */
export const MOVES: readonly Command[] = [
  {
    name: 'up',
    keys: ['up', 'k'],
    description: 'One up',
    group: 'move',
    run: (session) => move(session, { rows: -1 }),
  },
  {
    name: 'down',
    keys: ['down', 'j'],
    description: 'One down',
    group: 'move',
    run: (session) => move(session, { rows: 1 }),
  },
  {
    name: 'page up',
    keys: ['pgup', 'ctrl-b'],
    description: 'One screen up',
    group: 'move',
    run: (session) => move(session, { pages: -1 }),
  },
  {
    name: 'page down',
    keys: ['pgdn', 'ctrl-f'],
    description: 'One screen down',
    group: 'move',
    run: (session) => move(session, { pages: 1 }),
  },
  {
    name: 'first',
    keys: ['g', 'home'],
    description: 'To the first',
    group: 'move',
    run: (session) => move(session, { to: 'first' }),
  },
  {
    name: 'last',
    keys: ['G', 'end'],
    description: 'To the last',
    group: 'move',
    run: (session) => move(session, { to: 'last' }),
  },
];
