import { moveInCoverage, nextArchive, openCoverage, openCovering, toggleUnit } from '../../state/coverage.ts';
import { back } from '../../state/navigation.ts';
import { selectedFractals } from '../../state/selection.ts';
import { archivesUnderCursor, coverageAt } from '../../view/pages/coverage.ts';
import type { Snapshot } from '../../view/types.ts';
import type { Command } from './command.ts';

function noPeriods(snapshot: Snapshot): string | undefined {
  return coverageAt(snapshot)?.value?.periods.length ? undefined : 'there are no periods';
}

function noArchive(snapshot: Snapshot): string | undefined {
  return archivesUnderCursor(snapshot).ids.length > 0 ? undefined : 'no archive covers this period';
}

function oneArchive(snapshot: Snapshot): string | undefined {
  return archivesUnderCursor(snapshot).ids.length > 1 ? undefined : 'no other archive covers this period';
}

/** The fractal whose timeline is opened. */
function fractalOf(snapshot: Snapshot): string | undefined {
  return selectedFractals(snapshot)[0]?.id;
}

/** Commands of the timeline of a fractal. */
export const COVERAGE: readonly Command[] = [
  {
    name: 'timeline',
    verb: 'show the timeline',
    keys: ['t'],
    label: 'timeline',
    description: 'Show which days or hours are archived',
    screens: ['fractals', 'fractal-archives', 'fractal'],
    group: 'here',
    changesData: false,
    disabled: (snapshot) => (fractalOf(snapshot) === undefined ? 'no fractal selected' : undefined),
    run(session) {
      const fractal_id = fractalOf(session.snapshot());
      if (fractal_id !== undefined) openCoverage(session, fractal_id);
    },
  },
  {
    name: 'open archive',
    verb: 'open an archive',
    keys: ['enter'],
    label: 'archive',
    description: 'Open the archive that covers the period under the cursor',
    screens: ['coverage'],
    group: 'here',
    changesData: false,
    disabled: noArchive,
    run: openCovering,
  },
  {
    name: 'next archive',
    verb: 'select another archive',
    keys: ['tab'],
    label: 'next archive',
    description: 'Select the next archive of the period',
    screens: ['coverage'],
    group: 'here',
    changesData: false,
    disabled: oneArchive,
    run: nextArchive,
  },
  {
    name: 'unit',
    keys: ['u'],
    label: 'hours/days',
    description: 'Switch between hours and days',
    screens: ['coverage'],
    group: 'here',
    changesData: false,
    run: toggleUnit,
  },
  {
    name: 'earlier',
    verb: 'go back in time',
    keys: ['left', 'h'],
    description: 'Go to the previous period',
    screens: ['coverage'],
    group: 'move',
    changesData: false,
    disabled: noPeriods,
    run: (session) => moveInCoverage(session, { periods: -1 }),
  },
  {
    name: 'later',
    verb: 'go forward in time',
    keys: ['right', 'l'],
    description: 'Go to the next period',
    screens: ['coverage'],
    group: 'move',
    changesData: false,
    disabled: noPeriods,
    run: (session) => moveInCoverage(session, { periods: 1 }),
  },
  {
    name: 'leave timeline',
    keys: ['esc', 'backspace'],
    label: 'back',
    description: 'Go back',
    screens: ['coverage'],
    group: 'here',
    changesData: false,
    run: (session) => back(session),
  },
];
