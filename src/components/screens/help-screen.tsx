import { type Command, commandsAt } from '../keymap.ts';
import { keyLabel } from '../view/key-label.ts';
import { bodyHeight } from '../view/layout.ts';
import { placeOf } from '../view/lists/index.ts';
import { heading } from '../view/pages/fields.ts';
import { placeTitle } from '../view/title.ts';
import type { Line, Snapshot } from '../view/types.ts';
import { Lines } from '../widgets/lines.tsx';

const KEYS = 18;

function commandLine(command: Command, snapshot: Snapshot): Line {
  const keys = command.keys.map((key) => keyLabel(key, snapshot.glyphs)).join(' ');
  const why = command.disabled?.(snapshot);
  return [
    { text: `  ${keys.padEnd(KEYS)}`, tone: why ? 'dim' : 'info', bold: !why },
    { text: command.description, tone: why ? 'dim' : 'plain' },
    { text: why ? `  not now: ${why}` : '', tone: 'warn' },
  ];
}

/** The help of the screen the user is at, from the table that its keys come from. */
export function helpLines(snapshot: Snapshot): readonly Line[] {
  const { columns, glyphs } = snapshot;
  const commands = commandsAt(snapshot);
  const groups = [
    ['here', `On this screen: ${placeTitle(snapshot, placeOf(snapshot))}`],
    ['general', 'Everywhere'],
    ['go', 'Screens'],
    ['move', 'Moving'],
  ] as const;
  return groups.flatMap(([group, title]) => {
    const lines = commands
      .filter((command) => command.group === group)
      .map((command) => commandLine(command, snapshot));
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
