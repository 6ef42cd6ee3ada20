import { Box } from 'ink';
import { searchCommands } from '../input/keymap.ts';
import { bodyHeight } from '../text/layout.ts';
import { ColumnsDialog } from '../ui/columns-dialog.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Lines } from '../ui/line.tsx';
import { Palette } from '../ui/palette.tsx';
import { columnChoices } from '../view/columns.ts';
import { keyLabel } from '../view/hints.ts';
import { statusMessageLines } from '../view/status-message.ts';
import type { Snapshot } from '../view/types.ts';

/** All lines of a long error but the last one, which is in the status line. */
function LongError({ snapshot }: { snapshot: Snapshot }) {
  const lines = statusMessageLines(snapshot).slice(0, -1);
  const { columns, symbols, browse } = snapshot;
  if (lines.length === 0 || browse?.work) return null;
  return (
    <Box position="absolute" left={0} top={bodyHeight(snapshot) - lines.length}>
      <Lines lines={lines} columns={columns} height={lines.length} symbols={symbols} />
    </Box>
  );
}

/** Drawn over the body: a dialog, the palette, the columns, or an error of several lines. */
export function Overlay({ snapshot }: { snapshot: Snapshot }) {
  const { columns, symbols, ui } = snapshot;
  const area = { columns, height: bodyHeight(snapshot), symbols };
  if (ui.mode.name === 'dialog') return <Dialog dialog={ui.mode.dialog} {...area} />;
  if (ui.mode.name === 'columns')
    return <ColumnsDialog choices={columnChoices(snapshot)} index={ui.mode.index} {...area} />;
  if (ui.mode.name === 'keys') return <LongError snapshot={snapshot} />;
  if (ui.mode.name !== 'palette') return null;
  const items = searchCommands(snapshot, ui.mode.query).map((command) => ({
    name: command.name,
    description: command.description,
    key: keyLabel(command.keys[0] ?? '', symbols),
    disabled: command.disabled?.(snapshot),
  }));
  return <Palette query={ui.mode.query} items={items} index={ui.mode.index} {...area} />;
}
