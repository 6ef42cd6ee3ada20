import { MIN_SIZE } from '../text/layout.ts';
import { wrap } from '../text/text.ts';
import type { DialogState, Snapshot } from '../view/types.ts';
import { Lines } from './line.tsx';

function sizeText({ columns, rows }: Snapshot): string {
  return `Terminal too small: ${columns}x${rows}, needs ${MIN_SIZE.columns}x${MIN_SIZE.rows}`;
}

/** A dialog with items is not offered here: its items must be seen before it is answered. */
function dialogLines({ title, items, options }: DialogState, snapshot: Snapshot): string[] {
  if (items) return [title, sizeText(snapshot), 'Esc closes'];
  return [title, ...options.map((option) => `${option.key} ${option.label}`)];
}

/** Shown instead of the console on a terminal that is too small. A dialog without items still works. */
export function TooSmall({ snapshot, dialog }: { snapshot: Snapshot; dialog: DialogState | undefined }) {
  const { columns, rows, symbols } = snapshot;
  const lines = dialog ? dialogLines(dialog, snapshot) : [sizeText(snapshot), 'q quits'];
  return (
    <Lines
      lines={lines.flatMap((line) => wrap(line, columns)).map((text) => [{ text }])}
      columns={columns}
      height={rows}
      symbols={symbols}
    />
  );
}
