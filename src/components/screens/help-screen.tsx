import { type Command, commandsAt } from '../keymap.ts';
import { keyLabel } from '../view/key-label.ts';
import { bodyHeight } from '../view/layout.ts';
import { placeOf } from '../view/lists/index.ts';
import { heading } from '../view/pages/fields.ts';
import { placeTitle } from '../view/title.ts';
import type { Line, Snapshot } from '../view/types.ts';
import { Lines } from '../widgets/lines.tsx';

const GAP = 2;

function keysOf({ keys }: Command, { glyphs }: Snapshot): string {
  return keys.map((key) => keyLabel(key, glyphs)).join(' ');
}

function commandLine(command: Command, snapshot: Snapshot, wide: number): Line {
  const keys = keysOf(command, snapshot);
  const why = command.disabled?.(snapshot);
  return [
    { text: `  ${keys.padEnd(wide + GAP)}`, tone: why ? 'dim' : 'info', bold: !why },
    { text: command.description, tone: why ? 'dim' : 'plain' },
    { text: why ? `  not now: ${why}` : '', tone: 'warn' },
  ];
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
      .map((command) => commandLine(command, snapshot, wide));
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
