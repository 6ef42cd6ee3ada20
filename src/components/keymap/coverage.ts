import { moveInCoverage, nextArchive, openCoverage, openCovering, toggleUnit } from '../hooks/coverage.ts';
import { chosenFractals } from '../hooks/deeds.ts';
import { back } from '../hooks/moves.ts';
import { archivesUnderCursor, coverageAt } from '../view/pages/coverage-view.ts';
import type { Snapshot } from '../view/types.ts';
import type { Command } from './command.ts';

function noPeriods(snapshot: Snapshot): string | undefined {
  return coverageAt(snapshot)?.value?.periods.length ? undefined : 'there are no periods';
}

function noArchive(snapshot: Snapshot): string | undefined {
  return archivesUnderCursor(snapshot).ids.length > 0 ? undefined : 'no archive holds this period';
}

function oneArchive(snapshot: Snapshot): string | undefined {
  return archivesUnderCursor(snapshot).ids.length > 1
    ? undefined
    : 'there is no other archive of this period';
}

/** The fractal whose timeline is meant. */
function fractalOf(snapshot: Snapshot): string | undefined {
  return chosenFractals(snapshot)[0]?.id;
}

/** The timeline of a fractal. */
export const COVERAGE: readonly Command[] = [
  {
    name: 'timeline',
    keys: ['t'],
    label: 'timeline',
    description: 'Show which days or hours of the fractal are in archives',
    at: ['fractals', 'fractal-archives', 'fractal'],
    group: 'here',
    disabled: (snapshot) => (fractalOf(snapshot) === undefined ? 'there is no fractal here' : undefined),
    run(session) {
      const fractal_id = fractalOf(session.snapshot());
      if (fractal_id !== undefined) openCoverage(session, fractal_id);
    },
  },
  {
    name: 'open archive',
    keys: ['enter'],
    label: 'archive',
    description: 'Open the archive that holds the period under the cursor',
    at: ['coverage'],
    group: 'here',
    disabled: noArchive,
    run: openCovering,
  },
  {
    name: 'next archive',
    keys: ['tab'],
    label: 'next archive',
    description: 'Go on to the next archive of the period',
    at: ['coverage'],
    group: 'here',
    disabled: oneArchive,
    run: nextArchive,
  },
  {
    name: 'unit',
    keys: ['u'],
    label: 'hours/days',
    description: 'Show hours instead of days, or days again',
    at: ['coverage'],
    group: 'here',
    run: toggleUnit,
  },
  {
    name: 'earlier',
    keys: ['left', 'h'],
    description: 'To the period before',
    at: ['coverage'],
    group: 'move',
    disabled: noPeriods,
    run: (session) => moveInCoverage(session, { periods: -1 }),
  },
  {
    name: 'later',
    keys: ['right', 'l'],
    description: 'To the next period',
    at: ['coverage'],
    group: 'move',
    disabled: noPeriods,
    run: (session) => moveInCoverage(session, { periods: 1 }),
  },
  {
    name: 'leave timeline',
    keys: ['esc', 'backspace'],
    label: 'back',
    description: 'Go back',
    at: ['coverage'],
    group: 'here',
    run: (session) => back(session),
  },
];
