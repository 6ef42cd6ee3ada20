import { LEAST } from '../view/layout.ts';
import type { DialogState, Snapshot } from '../view/types.ts';
import { Lines } from './lines.tsx';

/** Said in place of everything on a terminal that cannot hold it. A question is still asked. */
export function TooSmall({ snapshot, dialog }: { snapshot: Snapshot; dialog: DialogState | undefined }) {
  const { columns, rows, glyphs } = snapshot;
  const lines = dialog
    ? [dialog.title, ...dialog.options.map((option) => `${option.key} ${option.label}`)]
    : ['Too small', `have ${columns}x${rows}`, `need ${LEAST.columns}x${LEAST.rows}`, 'q quits'];
  return <Lines lines={lines.map((text) => [{ text }])} columns={columns} height={rows} glyphs={glyphs} />;
}
