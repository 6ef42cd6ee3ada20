import { searchCommands } from '../keymap.ts';
import { keyLabel } from '../view/key-label.ts';
import { bodyHeight } from '../view/layout.ts';
import type { Snapshot } from '../view/types.ts';
import { Dialog } from '../widgets/dialog.tsx';
import { Palette } from '../widgets/palette.tsx';

/** What lies over the body: a question, or the palette. */
export function Overlay({ snapshot }: { snapshot: Snapshot }) {
  const { columns, glyphs, ui } = snapshot;
  const area = { columns, height: bodyHeight(snapshot), glyphs };
  if (ui.mode.name === 'dialog') return <Dialog dialog={ui.mode.dialog} {...area} />;
  if (ui.mode.name !== 'palette') return null;
  const items = searchCommands(snapshot, ui.mode.query).map((command) => ({
    name: command.name,
    description: command.description,
    key: keyLabel(command.keys[0] ?? '', glyphs),
    disabled: command.disabled?.(snapshot),
  }));
  return <Palette query={ui.mode.query} items={items} index={ui.mode.index} {...area} />;
}
