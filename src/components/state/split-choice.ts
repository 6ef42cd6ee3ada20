import { plural } from '../../core/text/units.ts';
import type { ArchiveSplit } from '../view/file-types.ts';
import { archiveSelected, openDialog, selectedFractals } from './actions.ts';
import type { Session } from './session.ts';

const SPLITS: readonly (readonly [ArchiveSplit, key: string, label: string])[] = [
  ['none', 'n', 'One file'],
  ['hour', 'h', 'One file per hour'],
  ['day', 'd', 'One file per day'],
  ['week', 'w', 'One file per week (Monday to Sunday)'],
];

/** Asks how to split the archives of the selected fractals, and starts them. The configured split has the focus. */
export function chooseSplit(session: Session) {
  const chosen = selectedFractals(session.snapshot());
  const [first] = chosen;
  if (!first) return;
  const isDefault = (split: ArchiveSplit) => chosen.every(({ archive_split }) => archive_split === split);
  const options = SPLITS.map(([split, key, label]) => ({
    key,
    label: isDefault(split) ? `${label} (default)` : label,
    safe: true,
    run: () => archiveSelected(session, split),
  }));
  const focus = Math.max(
    0,
    SPLITS.findIndex(([split]) => isDefault(split)),
  );
  const dialog = {
    title: `Split the archive of ${chosen.length === 1 ? first.name : plural(chosen.length, 'fractal')}?`,
    tone: 'info' as const,
    lines: ['Periods are in UTC. Each file can be restored or deleted on its own.'],
    options,
  };
  openDialog(session, dialog);
  session.dispatch({ type: 'focus', by: focus });
}
