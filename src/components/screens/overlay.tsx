import { Box } from 'ink';
import { searchCommands } from '../keymap.ts';
import { flashLines } from '../view/flash.ts';
import { keyLabel } from '../view/key-label.ts';
import { bodyHeight } from '../view/layout.ts';
import type { Snapshot } from '../view/types.ts';
import { Dialog } from '../widgets/dialog.tsx';
import { Lines } from '../widgets/lines.tsx';
import { Palette } from '../widgets/palette.tsx';

/** The lines of an error that do not fit beside the last one, at the bottom of the body. */
function Trouble({ snapshot }: { snapshot: Snapshot }) {
  const lines = flashLines(snapshot).slice(0, -1);
  const { columns, glyphs, browse } = snapshot;
  if (lines.length === 0 || browse?.work) return null;
  return (
    <Box position="absolute" left={0} top={bodyHeight(snapshot) - lines.length}>
      <Lines lines={lines} columns={columns} height={lines.length} glyphs={glyphs} />
    </Box>
  );
}

/** What lies over the body: a question, the palette, an error of several lines. */
export function Overlay({ snapshot }: { snapshot: Snapshot }) {
  const { columns, glyphs, ui } = snapshot;
  const area = { columns, height: bodyHeight(snapshot), glyphs };
  if (ui.mode.name === 'dialog') return <Dialog dialog={ui.mode.dialog} {...area} />;
  if (ui.mode.name === 'keys') return <Trouble snapshot={snapshot} />;
  if (ui.mode.name !== 'palette') return null;
  const items = searchCommands(snapshot, ui.mode.query).map((command) => ({
    name: command.name,
    description: command.description,
    key: keyLabel(command.keys[0] ?? '', glyphs),
    disabled: command.disabled?.(snapshot),
  }));
  return <Palette query={ui.mode.query} items={items} index={ui.mode.index} {...area} />;
}
