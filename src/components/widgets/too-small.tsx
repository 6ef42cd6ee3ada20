import { LEAST } from '../view/layout.ts';
import type { DialogState, Snapshot } from '../view/types.ts';
import { Lines } from './lines.tsx';

/** What a question is about must be seen before it is answered. */
function asked({ title, items, options }: DialogState): string[] {
  if (items) return [title, 'Too small to show', `need ${LEAST.columns}x${LEAST.rows}`, 'Esc closes'];
  return [title, ...options.map((option) => `${option.key} ${option.label}`)];
}

/** Said in place of everything on a terminal that cannot hold it. A question is still asked. */
export function TooSmall({ snapshot, dialog }: { snapshot: Snapshot; dialog: DialogState | undefined }) {
  const { columns, rows, glyphs } = snapshot;
  const lines = dialog
    ? asked(dialog)
    : ['Too small', `have ${columns}x${rows}`, `need ${LEAST.columns}x${LEAST.rows}`, 'q quits'];
  return <Lines lines={lines.map((text) => [{ text }])} columns={columns} height={rows} glyphs={glyphs} />;
}
