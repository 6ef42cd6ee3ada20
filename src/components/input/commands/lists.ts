import { exportList } from '../../state/export/export.ts';
import {
  askToArchive,
  askToResume,
  chooseSplit,
  confirmCancel,
  moveQueued,
  resumable,
} from '../../state/job-actions.ts';
import { invertSelection, selectAll, selectRange } from '../../state/lists/row-selection.ts';
import { chooseSort, reverseSort } from '../../state/lists/sorting.ts';
import { back, open, toggleSelected } from '../../state/navigation.ts';
import { openFromOverview } from '../../state/overview.ts';
import { chooseSchedule } from '../../state/schedule-actions.ts';
import { selectedFractals, selectedJob } from '../../state/selection.ts';
import type { Session } from '../../state/session.ts';
import { WITH_PREVIEW } from '../../view/lists/shown.ts';
import { currentScreen, listStateAt } from '../../view/snapshot.ts';
import type { ScreenName, Snapshot } from '../../view/types.ts';
import { type Command, LIST_SCREENS, noRow, RECORD_PAGES } from './command.ts';

function noFractal(snapshot: Snapshot): string | undefined {
  return selectedFractals(snapshot).length > 0 ? undefined : 'no fractal selected';
}

function noRunningJob(snapshot: Snapshot): string | undefined {
  const job = selectedJob(snapshot);
  if (!job) return 'no job selected';
  if (job.state === 'cancelling') return 'the job is already being cancelled';
  return job.ended_at === undefined ? undefined : 'the job has ended';
}

function noQueuedJob(snapshot: Snapshot): string | undefined {
  return selectedJob(snapshot)?.queued ? undefined : 'it is not in the queue';
}

function notResumable(snapshot: Snapshot): string | undefined {
  const found = resumable(snapshot);
  return 'why' in found ? found.why : undefined;
}

function editFilter(session: Session): void {
  const snapshot = session.snapshot();
  const before = listStateAt(snapshot, currentScreen(snapshot)).filter;
  session.dispatch({ type: 'mode', mode: { name: 'filter', before } });
}

/** Commands that open a row and go back. */
export const OPENING: readonly Command[] = [
  {
    name: 'open',
    keys: ['enter', 'right', 'l'],
    label: 'open',
    description: 'Open the row under the cursor',
    screens: LIST_SCREENS,
    group: 'here',
    changesData: false,
    disabled: noRow,
    run: (session) => open(session),
  },
  {
    name: 'open line',
    verb: 'open the line',
    keys: ['enter', 'right', 'l'],
    label: 'open',
    description: 'Open the screen that the line under the cursor is about',
    screens: ['overview'],
    group: 'here',
    changesData: false,
    run: openFromOverview,
  },
  {
    name: 'back',
    keys: ['esc', 'left', 'h', 'backspace'],
    label: 'back',
    description: 'Clear filter or selection, or go back',
    screens: RECORD_PAGES,
    group: 'here',
    changesData: false,
    run: (session) => back(session),
  },
  {
    name: 'clear',
    keys: ['esc'],
    description: 'Clear filter or selection, or go to the overview',
    screens: ['fractals', 'archives', 'backups', 'jobs', 'log', 'orphans'],
    group: 'here',
    changesData: false,
    run: (session) => back(session),
  },
];

/** Commands on fractals and jobs. */
export const JOBS: readonly Command[] = [
  {
    name: 'archive',
    keys: ['a'],
    label: 'archive',
    description: 'Archive the selected fractals; asks first',
    screens: ['fractals', 'fractal-archives', 'fractal'],
    group: 'here',
    changesData: true,
    disabled: noFractal,
    run: (session) => askToArchive(session),
  },
  {
    name: 'archive split',
    verb: 'archive',
    keys: ['A'],
    label: 'split',
    description: 'Archive, choosing how to split',
    screens: ['fractals', 'fractal-archives', 'fractal'],
    group: 'here',
    changesData: true,
    disabled: noFractal,
    run: chooseSplit,
  },
  {
    name: 'schedule',
    verb: 'set the schedule',
    keys: ['e'],
    label: 'schedule',
    description: 'Set the schedule: how often, how split, and how many archives to keep',
    screens: ['fractals', 'fractal-archives', 'fractal'],
    group: 'here',
    changesData: true,
    disabled: noFractal,
    run: chooseSchedule,
  },
  {
    name: 'cancel',
    keys: ['x'],
    label: 'cancel job',
    description: 'Cancel the job; asks first',
    screens: ['jobs', 'job'],
    group: 'here',
    // What a read-only console starts changes nothing: it may stop that.
    changesData: (snapshot) => !snapshot.own.has(selectedJob(snapshot)?.id ?? ''),
    disabled: noRunningJob,
    run: confirmCancel,
  },
  {
    name: 'earlier in queue',
    verb: 'move the job',
    keys: ['K'],
    label: 'earlier',
    description: 'Move the queued job up: it runs earlier',
    screens: ['jobs'],
    group: 'here',
    changesData: true,
    disabled: noQueuedJob,
    run: (session) => void moveQueued(session, 'up'),
  },
  {
    name: 'later in queue',
    verb: 'move the job',
    keys: ['J'],
    label: 'later',
    description: 'Move the queued job down: it runs later',
    screens: ['jobs'],
    group: 'here',
    changesData: true,
    disabled: noQueuedJob,
    run: (session) => void moveQueued(session, 'down'),
  },
  {
    name: 'resume',
    keys: ['c'],
    label: 'resume',
    description: 'Resume an interrupted archive or restore where it stopped; asks first',
    screens: ['jobs', 'job', 'archives', 'fractal-archives', 'group', 'archive'],
    group: 'here',
    changesData: true,
    disabled: notResumable,
    run: askToResume,
  },
];

const SELECTABLE: readonly ScreenName[] = [
  'fractals',
  'archives',
  'fractal-archives',
  'group',
  'backups',
  'orphans',
];

/** Commands that select and filter rows. */
export const SELECTING: readonly Command[] = [
  {
    name: 'select',
    keys: [' '],
    label: 'select',
    description: 'Select or deselect the row',
    screens: SELECTABLE,
    group: 'here',
    changesData: false,
    disabled: noRow,
    run: toggleSelected,
  },
  {
    name: 'select all',
    keys: ['ctrl-a'],
    description: 'Select all rows that are shown',
    screens: SELECTABLE,
    group: 'here',
    changesData: false,
    disabled: noRow,
    run: selectAll,
  },
  {
    name: 'select range',
    verb: 'select a range',
    keys: ['m'],
    description: 'Select all rows from the one selected last to this one',
    screens: SELECTABLE,
    group: 'here',
    changesData: false,
    disabled: noRow,
    run: selectRange,
  },
  {
    name: 'invert selection',
    verb: 'invert the selection',
    keys: ['i'],
    description: 'Select the rows that are not selected, and deselect the others',
    screens: SELECTABLE,
    group: 'here',
    changesData: false,
    disabled: noRow,
    run: invertSelection,
  },
  {
    name: 'filter',
    keys: ['/'],
    label: 'filter',
    description: "Show only rows with matching text: words, !not, 'exact, /regex/",
    screens: LIST_SCREENS,
    group: 'here',
    changesData: false,
    run: editFilter,
  },
];

/** Commands that sort a list, and others that are needed less often. */
export const SORTING: readonly Command[] = [
  {
    name: 'details',
    verb: 'show details',
    keys: ['d'],
    label: 'details',
    description: 'Show all details of the fractal',
    screens: ['fractals'],
    group: 'here',
    changesData: false,
    disabled: noRow,
    run: (session) => open(session, 'fractal'),
  },
  {
    name: 'columns',
    verb: 'choose columns',
    keys: ['w'],
    description: 'Show or hide columns; the choice is remembered',
    screens: LIST_SCREENS,
    group: 'here',
    changesData: false,
    run: (session) => session.dispatch({ type: 'mode', mode: { name: 'columns', index: 0 } }),
  },
  {
    name: 'preview',
    verb: 'show the preview',
    keys: ['p'],
    description: 'Show or hide the details next to the list',
    screens: LIST_SCREENS,
    group: 'here',
    changesData: false,
    disabled: ({ columns }) => (columns < WITH_PREVIEW ? `it needs ${WITH_PREVIEW} columns` : undefined),
    run: (session) => session.changeSetting('preview', !session.snapshot().settings.preview),
  },
  {
    name: 'sort',
    keys: ['s'],
    label: 'sort',
    description: 'Choose the column to sort by',
    screens: LIST_SCREENS,
    group: 'here',
    changesData: false,
    disabled: noRow,
    run: chooseSort,
  },
  {
    name: 'reverse',
    keys: ['S'],
    description: 'Reverse the sort order',
    screens: LIST_SCREENS,
    group: 'here',
    changesData: false,
    run: reverseSort,
  },
  {
    name: 'export',
    keys: ['E'],
    label: 'export',
    description: 'Export the selected rows, or all that are shown, as NDJSON or CSV',
    screens: LIST_SCREENS,
    group: 'here',
    changesData: false,
    disabled: noRow,
    run: exportList,
  },
];
