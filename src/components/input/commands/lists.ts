import {
  archiveSelected,
  chooseSplit,
  confirmCancel,
  resumable,
  resumeSelected,
} from '../../state/job-actions.ts';
import { back, open, sort, toggleSelected } from '../../state/navigation.ts';
import { openFromOverview } from '../../state/overview.ts';
import { chooseSchedule } from '../../state/schedule-actions.ts';
import { selectedFractals, selectedJob } from '../../state/selection.ts';
import type { Session } from '../../state/session.ts';
import { currentScreen, listStateAt } from '../../view/snapshot.ts';
import type { Snapshot } from '../../view/types.ts';
import { type Command, LIST_SCREENS, noRow } from './command.ts';

function noFractal(snapshot: Snapshot): string | undefined {
  return selectedFractals(snapshot).length > 0 ? undefined : 'no fractal selected';
}

function noRunningJob(snapshot: Snapshot): string | undefined {
  const job = selectedJob(snapshot);
  if (!job) return 'no job selected';
  if (job.state === 'cancelling') return 'the job is already being cancelled';
  return job.ended_at === undefined ? undefined : 'the job has ended';
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
    disabled: noRow,
    run: (session) => open(session),
  },
  {
    name: 'open line',
    verb: 'open the line',
    keys: ['enter', 'right', 'l'],
    label: 'open',
    description: 'Go to where the line under the cursor can be looked at and fixed',
    screens: ['overview'],
    group: 'here',
    run: openFromOverview,
  },
  {
    name: 'back',
    keys: ['esc', 'left', 'h', 'backspace'],
    label: 'back',
    description: 'Clear filter or selection, or go back',
    screens: [
      'health',
      'fractal-archives',
      'group',
      'fractal',
      'archive',
      'backup',
      'job',
      'entry',
      'orphan',
    ],
    group: 'here',
    run: (session) => back(session),
  },
  {
    name: 'clear',
    keys: ['esc'],
    description: 'Clear filter or selection, or go to the overview',
    screens: ['fractals', 'archives', 'backups', 'jobs', 'log', 'orphans'],
    group: 'here',
    run: (session) => back(session),
  },
];

/** Commands on fractals and jobs. */
export const JOBS: readonly Command[] = [
  {
    name: 'archive',
    keys: ['a'],
    label: 'archive',
    description: 'Archive the selected fractals',
    screens: ['fractals', 'fractal-archives', 'fractal'],
    group: 'here',
    changesData: true,
    disabled: noFractal,
    run: (session) => archiveSelected(session),
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
    disabled: noRunningJob,
    run: confirmCancel,
  },
  {
    name: 'resume',
    keys: ['c'],
    label: 'resume',
    description: 'Resume an interrupted archive or restore where it stopped',
    screens: ['jobs', 'job', 'archives', 'fractal-archives', 'group', 'archive'],
    group: 'here',
    changesData: true,
    disabled: notResumable,
    run: (session) => void resumeSelected(session),
  },
];

/** Commands that select and filter rows. */
export const SELECTING: readonly Command[] = [
  {
    name: 'select',
    keys: [' '],
    label: 'select',
    description: 'Select or deselect the row',
    screens: ['fractals', 'archives', 'fractal-archives', 'group', 'backups', 'orphans'],
    group: 'here',
    disabled: noRow,
    run: toggleSelected,
  },
  {
    name: 'filter',
    keys: ['/'],
    label: 'filter',
    description: 'Show only rows with matching text',
    screens: LIST_SCREENS,
    group: 'here',
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
    disabled: noRow,
    run: (session) => open(session, 'fractal'),
  },
  {
    name: 'sort',
    keys: ['s'],
    label: 'sort',
    description: 'Sort by the next column',
    screens: LIST_SCREENS,
    group: 'here',
    run: (session) => sort(session, 'next'),
  },
  {
    name: 'reverse',
    keys: ['S'],
    description: 'Reverse the sort order',
    screens: LIST_SCREENS,
    group: 'here',
    run: (session) => sort(session, 'reverse'),
  },
];
