import type { ArchiveSplit } from '../view/file-types.ts';
import { plural } from '../view/units.ts';
import { archiveChosen, ask, chosenFractals } from './deeds.ts';
import type { Session } from './session.ts';

const SPLITS: readonly (readonly [ArchiveSplit, key: string, label: string])[] = [
  ['none', 'n', 'One file for all of it'],
  ['hour', 'h', 'A file for each hour'],
  ['day', 'd', 'A file for each day'],
  ['week', 'w', 'A file for each week, Monday to Sunday'],
];

/** Asks how the chosen fractals are to be cut, and archives them so. The cut that is set for them has the focus. */
export function askSplit(session: Session) {
  const chosen = chosenFractals(session.snapshot());
  const [first] = chosen;
  if (!first) return;
  const set = (split: ArchiveSplit) => chosen.every(({ archive_split }) => archive_split === split);
  const options = SPLITS.map(([split, key, label]) => ({
    key,
    label: set(split) ? `${label}, as it is set` : label,
    safe: true,
    run: () => archiveChosen(session, split),
  }));
  const focus = Math.max(
    0,
    SPLITS.findIndex(([split]) => set(split)),
  );
  const dialog = {
    title: `Archive ${chosen.length === 1 ? first.name : plural(chosen.length, 'fractal')}: how?`,
    tone: 'info' as const,
    lines: ['Periods are in UTC. Each file is whole by itself, and can be restored or deleted by itself.'],
    options,
  };
  ask(session, dialog);
  session.dispatch({ type: 'focus', by: focus });
}
