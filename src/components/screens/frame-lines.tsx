import { commandsAt } from '../keymap.ts';
import { keyLabel } from '../keys.ts';
import { listStateAt, placeOf, troubleUnderCursor } from '../view/lists/index.ts';
import { SEVERITY_TONE } from '../view/lists/log.ts';
import type { Line as LineOfSpans, Mode, Snapshot } from '../view/types.ts';
import { Footer, type Hint } from '../widgets/footer.tsx';
import { Line } from '../widgets/line.tsx';

function flash(snapshot: Snapshot): LineOfSpans {
  const { ui, glyphs } = snapshot;
  const entry = ui.flash;
  // The column of a table is too narrow for a reason; this line is not.
  if (!entry) return [{ text: ` ${troubleUnderCursor(snapshot)}`, tone: 'bad' }];
  const sign = { info: glyphs.dot, good: glyphs.ok, warn: glyphs.warn, error: glyphs.bad }[entry.severity];
  const tone = SEVERITY_TONE[entry.severity];
  return [
    { text: ` ${sign} `, tone, bold: true },
    { text: entry.text, tone },
    { text: entry.hint ? `  ${entry.hint}` : '', tone: 'dim' },
  ];
}

/** The line for what was just said, or for what is being typed. */
export function TalkLine({ snapshot }: { snapshot: Snapshot }) {
  const { ui, columns, glyphs } = snapshot;
  const typing: LineOfSpans = [
    { text: ' /', tone: 'info', bold: true },
    { text: listStateAt(snapshot, placeOf(snapshot)).filter },
    { text: '_', tone: 'info' },
  ];
  return (
    <Line spans={ui.mode.name === 'filter' ? typing : flash(snapshot)} columns={columns} glyphs={glyphs} />
  );
}

const BY_MODE: Readonly<Partial<Record<Mode['name'], readonly Hint[]>>> = {
  help: [{ key: 'Esc', label: 'close the help', disabled: false }],
  filter: [
    { key: 'Enter', label: 'keep the filter', disabled: false },
    { key: 'Esc', label: 'clear it', disabled: false },
  ],
  palette: [
    { key: 'Enter', label: 'run', disabled: false },
    { key: 'Esc', label: 'close', disabled: false },
  ],
  dialog: [{ key: 'Esc', label: 'close, nothing happens', disabled: false }],
};

/** The footer, from the table that the keys come from. */
export function KeyLine({ snapshot }: { snapshot: Snapshot }) {
  const { ui, columns, glyphs } = snapshot;
  const hints = commandsAt(snapshot).flatMap((command): Hint[] => {
    const [key] = command.keys;
    if (!command.label || key === undefined) return [];
    return [
      {
        key: keyLabel(key, glyphs),
        label: command.label,
        disabled: command.disabled?.(snapshot) !== undefined,
      },
    ];
  });
  return <Footer hints={BY_MODE[ui.mode.name] ?? hints} columns={columns} glyphs={glyphs} />;
}
