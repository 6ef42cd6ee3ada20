import {
  archiveChosen,
  askToCancel,
  chosenFractals,
  chosenJob,
  copy,
  copyables,
  quit,
  startBackup,
} from './hooks/deeds.ts';
import { back, go, mark, move, open, sort } from './hooks/moves.ts';
import type { Session } from './hooks/session.ts';
import { listStateAt, placeOf, rowsAt } from './view/lists/index.ts';
import type { PlaceName, Snapshot } from './view/types.ts';

/** Something the user can do: the one table that keys, footer, help and palette are made from. */
export interface Command {
  /** What the palette calls it. */
  name: string;
  keys: readonly string[];
  /** One word or two for the footer; without it, the command is not shown there. */
  label?: string;
  description: string;
  /** Where it makes sense; everywhere without it. */
  at?: readonly PlaceName[];
  group: 'here' | 'go' | 'move' | 'general';
  /** Changes something: absent from a read-only console. */
  changes?: true;
  /** Why it cannot be done now. */
  disabled?(snapshot: Snapshot): string | undefined;
  run(session: Session): void;
}

const LISTS: readonly PlaceName[] = ['fractals', 'fractal-archives', 'archives', 'backups', 'jobs', 'log'];

function noRow(snapshot: Snapshot): string | undefined {
  return rowsAt(snapshot)?.rows.length ? undefined : 'the list is empty';
}

function noFractal(snapshot: Snapshot): string | undefined {
  return chosenFractals(snapshot).length > 0 ? undefined : 'there is no fractal here';
}

function noRunningJob(snapshot: Snapshot): string | undefined {
  const job = chosenJob(snapshot);
  if (!job) return 'there is no job here';
  if (job.state === 'cancelling') return 'it is being cancelled already';
  return job.ended_at === undefined ? undefined : 'the job has ended';
}

function beginFilter(session: Session): void {
  const snapshot = session.snapshot();
  const before = listStateAt(snapshot, placeOf(snapshot)).filter;
  session.dispatch({ type: 'mode', mode: { name: 'filter', before } });
}

function refresh(session: Session): void {
  session.data.refresh();
  session.say('info', 'Loading everything again', { quiet: true });
}

function screen(key: string, name: PlaceName, title: string, ...more: string[]): Command {
  return {
    name,
    keys: [key, ...more],
    description: `Show ${title}`,
    group: 'go',
    run: (session) => go(session, { name }),
  };
}

/** All commands, in the order in which the footer and the help show them. */
export const COMMANDS: readonly Command[] = [
  {
    name: 'open',
    keys: ['enter', 'right', 'l'],
    label: 'open',
    description: 'Open what is under the cursor',
    at: LISTS,
    group: 'here',
    disabled: noRow,
    run: (session) => open(session),
  },
  {
    name: 'back',
    keys: ['esc', 'left', 'h', 'backspace'],
    label: 'back',
    description: 'Clear the filter, drop the marks, or go back',
    at: ['fractal-archives', 'fractal', 'archive', 'backup', 'job', 'entry'],
    group: 'here',
    run: (session) => back(session),
  },
  {
    name: 'clear',
    keys: ['esc'],
    description: 'Clear the filter, drop the marks, or go to the overview',
    at: ['fractals', 'archives', 'backups', 'jobs', 'log'],
    group: 'here',
    run: (session) => back(session),
  },
  {
    name: 'archive',
    keys: ['a'],
    label: 'archive',
    description: 'Archive the fractal, or all that are marked',
    at: ['fractals', 'fractal-archives', 'fractal'],
    group: 'here',
    changes: true,
    disabled: noFractal,
    run: (session) => void archiveChosen(session),
  },
  {
    name: 'cancel',
    keys: ['x'],
    label: 'cancel job',
    description: 'Cancel the job, after a question',
    at: ['jobs', 'job'],
    group: 'here',
    changes: true,
    disabled: noRunningJob,
    run: askToCancel,
  },
  {
    name: 'mark',
    keys: [' '],
    label: 'mark',
    description: 'Mark the row, or take its mark away',
    at: ['fractals'],
    group: 'here',
    disabled: noRow,
    run: mark,
  },
  {
    name: 'filter',
    keys: ['/'],
    label: 'filter',
    description: 'Show only rows that hold what you type',
    at: LISTS,
    group: 'here',
    run: beginFilter,
  },
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
    description: 'Leave; asks while jobs are running',
    group: 'general',
    run: quit,
  },
  {
    name: 'details',
    keys: ['d'],
    label: 'details',
    description: 'Show everything that is known of the fractal',
    at: ['fractals'],
    group: 'here',
    disabled: noRow,
    run: (session) => open(session, 'fractal'),
  },
  {
    name: 'sort',
    keys: ['s'],
    label: 'sort',
    description: 'Order by the next column',
    at: LISTS,
    group: 'here',
    run: (session) => sort(session, 'next'),
  },
  {
    name: 'reverse',
    keys: ['S'],
    description: 'Turn the order round',
    at: LISTS,
    group: 'here',
    run: (session) => sort(session, 'reverse'),
  },
  {
    name: 'copy',
    keys: ['y'],
    label: 'copy',
    description: "Copy a path, an id or a checksum to your terminal's clipboard",
    group: 'here',
    disabled: (snapshot) => (copyables(snapshot).length > 0 ? undefined : 'there is nothing to copy here'),
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
  screen('1', 'overview', 'the overview'),
  screen('2', 'fractals', 'the fractals'),
  screen('3', 'archives', 'all archives'),
  screen('4', 'backups', 'the backups'),
  screen('5', 'jobs', 'the jobs of this session'),
  screen('6', 'log', 'what was said so far', 'L'),
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
