import { type Command, commandsAt } from '../keymap.ts';
import { keyLabel } from '../view/key-label.ts';
import { bodyHeight } from '../view/layout.ts';
import { placeOf } from '../view/lists/index.ts';
import { heading } from '../view/pages/fields.ts';
import { width } from '../view/sanitize.ts';
import { lineWidth, wrap } from '../view/text.ts';
import { placeTitle } from '../view/title.ts';
import type { Line, Snapshot } from '../view/types.ts';
import { Lines } from '../widgets/lines.tsx';

const GAP = 2;

function keysOf({ keys }: Command, { glyphs }: Snapshot): string {
  return keys.map((key) => keyLabel(key, glyphs)).join(' ');
}

/** As many lines as the description needs: help that is cut is none. */
function commandLines(command: Command, snapshot: Snapshot, wide: number): Line[] {
  const why = command.disabled?.(snapshot);
  const indent = 2 + wide + GAP;
  const room = Math.max(20, snapshot.columns - indent);
  const keys = `  ${keysOf(command, snapshot)}`.padEnd(indent);
  const lines: Line[] = wrap(command.description, room).map((text) => [
    { text, tone: why ? 'dim' : 'plain' },
  ]);
  if (why) addReason(lines, `not now: ${why}`, room);
  return lines.map((line, index) => [
    index === 0
      ? { text: keys, tone: why ? 'dim' : 'info', bold: !why }
      : { text: ' '.repeat(indent), tone: 'plain' },
    ...line,
  ]);
}

/** Behind the description where there is room, else below. */
function addReason(lines: Line[], text: string, room: number): void {
  const last = lines.at(-1) ?? [];
  if (lineWidth(last) + GAP + width(text) <= room)
    lines[lines.length - 1] = [...last, { text: ' '.repeat(GAP), tone: 'plain' }, { text, tone: 'warn' }];
  else lines.push(...wrap(text, room).map((part): Line => [{ text: part, tone: 'warn' }]));
}

/** The help of the screen the user is at, from the table that its keys come from. */
export function helpLines(snapshot: Snapshot): readonly Line[] {
  const { columns, glyphs } = snapshot;
  const commands = commandsAt(snapshot);
  const wide = Math.max(...commands.map((command) => keysOf(command, snapshot).length));
  const groups = [
    ['here', `On this screen: ${placeTitle(snapshot, placeOf(snapshot))}`],
    ['general', 'Everywhere'],
    ['go', 'Screens'],
    ['move', 'Moving'],
  ] as const;
  return groups.flatMap(([group, title]) => {
    const lines = commands
      .filter((command) => command.group === group)
      .flatMap((command) => commandLines(command, snapshot, wide));
    return lines.length === 0 ? [] : [heading(title, columns, glyphs), ...lines];
  });
}

export function HelpScreen({ snapshot, top }: { snapshot: Snapshot; top: number }) {
  return (
    <Lines
      lines={helpLines(snapshot)}
      top={top}
      columns={snapshot.columns}
      height={bodyHeight(snapshot)}
      glyphs={snapshot.glyphs}
    />
  );
}
