import { MIN_SIZE } from '../text/layout.ts';
import type { DialogState, Snapshot } from '../view/types.ts';
import { Lines } from './line.tsx';

/** A dialog with items is not offered here: its items must be seen before it is answered. */
function dialogLines({ title, items, options }: DialogState): string[] {
  if (items) return [title, 'Too small to show', `need ${MIN_SIZE.columns}x${MIN_SIZE.rows}`, 'Esc closes'];
  return [title, ...options.map((option) => `${option.key} ${option.label}`)];
}

/** Shown instead of the console on a terminal that is too small. A dialog without items still works. */
export function TooSmall({ snapshot, dialog }: { snapshot: Snapshot; dialog: DialogState | undefined }) {
  const { columns, rows, symbols } = snapshot;
  const lines = dialog
    ? dialogLines(dialog)
    : ['Too small', `have ${columns}x${rows}`, `need ${MIN_SIZE.columns}x${MIN_SIZE.rows}`, 'q quits'];
  return <Lines lines={lines.map((text) => [{ text }])} columns={columns} height={rows} symbols={symbols} />;
}
