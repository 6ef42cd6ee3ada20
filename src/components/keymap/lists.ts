import { archiveChosen, askToCancel, chosenFractals, chosenJob } from '../hooks/deeds.ts';
import { goOnWithChosen, unfinished } from '../hooks/go-on.ts';
import { back, mark, open, sort } from '../hooks/moves.ts';
import type { Session } from '../hooks/session.ts';
import { askSplit } from '../hooks/split-choice.ts';
import { listStateAt, placeOf } from '../view/lists/index.ts';
import type { Snapshot } from '../view/types.ts';
import { type Command, LISTS, noRow } from './command.ts';

function noFractal(snapshot: Snapshot): string | undefined {
  return chosenFractals(snapshot).length > 0 ? undefined : 'there is no fractal here';
}

function noRunningJob(snapshot: Snapshot): string | undefined {
  const job = chosenJob(snapshot);
  if (!job) return 'there is no job here';
  if (job.state === 'cancelling') return 'it is being cancelled already';
  return job.ended_at === undefined ? undefined : 'the job has ended';
}

function nothingUnfinished(snapshot: Snapshot): string | undefined {
  const chosen = unfinished(snapshot);
  return 'why' in chosen ? chosen.why : undefined;
}

function beginFilter(session: Session): void {
  const snapshot = session.snapshot();
  const before = listStateAt(snapshot, placeOf(snapshot)).filter;
  session.dispatch({ type: 'mode', mode: { name: 'filter', before } });
}

/** What opens and goes back. */
export const OPENING: readonly Command[] = [
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
    at: ['fractal-archives', 'group', 'fractal', 'archive', 'backup', 'job', 'entry', 'orphan'],
    group: 'here',
    run: (session) => back(session),
  },
  {
    name: 'clear',
    keys: ['esc'],
    description: 'Clear the filter, drop the marks, or go to the overview',
    at: ['fractals', 'archives', 'backups', 'jobs', 'log', 'orphans'],
    group: 'here',
    run: (session) => back(session),
  },
];

/** What is done with fractals and jobs. */
export const WORK: readonly Command[] = [
  {
    name: 'archive',
    keys: ['a'],
    label: 'archive',
    description: 'Archive the fractal, or all that are marked',
    at: ['fractals', 'fractal-archives', 'fractal'],
    group: 'here',
    changes: true,
    disabled: noFractal,
    run: (session) => archiveChosen(session),
  },
  {
    name: 'archive split',
    keys: ['A'],
    label: 'split',
    description: 'Archive the fractal, or all that are marked, by hour, day, week, or in one; asks how',
    at: ['fractals', 'fractal-archives', 'fractal'],
    group: 'here',
    changes: true,
    disabled: noFractal,
    run: askSplit,
  },
  {
    name: 'cancel',
    keys: ['x'],
    label: 'cancel job',
    description: 'Cancel the job, after a question',
    at: ['jobs', 'job'],
    group: 'here',
    disabled: noRunningJob,
    run: askToCancel,
  },
  {
    name: 'continue',
    keys: ['c'],
    label: 'continue',
    description: 'Go on with an archive or a restore that was interrupted, where it stopped',
    at: ['jobs', 'job', 'archives', 'fractal-archives', 'group', 'archive'],
    group: 'here',
    changes: true,
    disabled: nothingUnfinished,
    run: (session) => void goOnWithChosen(session),
  },
];

/** What chooses rows. */
export const CHOOSING: readonly Command[] = [
  {
    name: 'mark',
    keys: [' '],
    label: 'mark',
    description: 'Mark the row, or take its mark away',
    at: ['fractals', 'archives', 'fractal-archives', 'group', 'backups', 'orphans'],
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
];

/** What arranges a list, and what is less often wanted of it. */
export const ARRANGING: readonly Command[] = [
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
];
