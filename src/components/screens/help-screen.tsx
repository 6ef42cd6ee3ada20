import { width } from '../../core/text/sanitize.ts';
import type { Command } from '../input/commands/command.ts';
import { commandsAt } from '../input/keymap.ts';
import { bodyHeight } from '../text/layout.ts';
import { type Line, lineWidth } from '../text/line.ts';
import { wrap } from '../text/text.ts';
import { Lines } from '../ui/line.tsx';
import { keyLabel } from '../view/hints.ts';
import { heading } from '../view/pages/fields.ts';
import { currentScreen } from '../view/snapshot.ts';
import { screenTitle } from '../view/title.ts';
import type { Snapshot } from '../view/types.ts';

const GAP = 2;

function keysOf({ keys }: Command, { symbols }: Snapshot): string {
  return keys.map((key) => keyLabel(key, symbols)).join(' ');
}

function commandLines(command: Command, snapshot: Snapshot, keyWidth: number): Line[] {
  const reason = command.disabled?.(snapshot);
  const indent = 2 + keyWidth + GAP;
  const room = Math.max(20, snapshot.columns - indent);
  const keys = `  ${keysOf(command, snapshot)}`.padEnd(indent);
  const lines: Line[] = wrap(command.description, room).map((text) => [
    { text, tone: reason ? 'dim' : 'plain' },
  ]);
  if (reason) addReason(lines, `not now: ${reason}`, room);
  return lines.map((line, index) => [
    index === 0
      ? { text: keys, tone: reason ? 'dim' : 'info', bold: !reason }
      : { text: ' '.repeat(indent), tone: 'plain' },
    ...line,
  ]);
}

/** Appends the reason to the last line if it fits, else below it. */
function addReason(lines: Line[], text: string, room: number): void {
  const last = lines.at(-1) ?? [];
  if (lineWidth(last) + GAP + width(text) <= room)
    lines[lines.length - 1] = [...last, { text: ' '.repeat(GAP), tone: 'plain' }, { text, tone: 'warn' }];
  else lines.push(...wrap(text, room).map((part): Line => [{ text: part, tone: 'warn' }]));
}

/** The help of the current screen, from the command table. */
export function helpLines(snapshot: Snapshot): readonly Line[] {
  const { columns, symbols } = snapshot;
  const commands = commandsAt(snapshot);
  const keyWidth = Math.max(...commands.map((command) => keysOf(command, snapshot).length));
  const groups = [
    ['here', `On this screen: ${screenTitle(snapshot, currentScreen(snapshot))}`],
    ['general', 'Everywhere'],
    ['go', 'Screens'],
    ['move', 'Navigation'],
  ] as const;
  return groups.flatMap(([group, title]) => {
    const lines = commands
      .filter((command) => command.group === group)
      .flatMap((command) => commandLines(command, snapshot, keyWidth));
    return lines.length === 0 ? [] : [heading(title, columns, symbols), ...lines];
  });
}

export function HelpScreen({ snapshot, top }: { snapshot: Snapshot; top: number }) {
  return (
    <Lines
      lines={helpLines(snapshot)}
      top={top}
      columns={snapshot.columns}
      height={bodyHeight(snapshot)}
      symbols={snapshot.symbols}
    />
  );
}
