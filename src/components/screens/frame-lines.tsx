import { commandsAt } from '../keymap.ts';
import type { BrowseWork } from '../view/file-types.ts';
import { flashLines } from '../view/flash.ts';
import { spinnerAt } from '../view/glyphs.ts';
import { keyLabel } from '../view/key-label.ts';
import { listStateAt, placeOf } from '../view/lists/index.ts';
import { formatDuration } from '../view/time.ts';
import type { Line as LineOfSpans, Mode, Prompt, Snapshot } from '../view/types.ts';
import { Footer, type Hint } from '../widgets/footer.tsx';
import { Line } from '../widgets/line.tsx';

function typing(snapshot: Snapshot): LineOfSpans {
  return [
    { text: ' /', tone: 'info', bold: true },
    { text: listStateAt(snapshot, placeOf(snapshot)).filter },
    { text: '_', tone: 'info' },
  ];
}

function prompting({ sign, text, trouble, hint }: Prompt): LineOfSpans {
  return [
    { text: ` ${sign}${sign.length > 1 ? ' ' : ''}`, tone: 'info', bold: true },
    { text },
    { text: '_', tone: 'info' },
    { text: trouble ? `   ${trouble}` : '', tone: 'bad' },
    { text: `   ${hint}`, tone: 'dim' },
  ];
}

function working({ what, since }: BrowseWork, { glyphs, now }: Snapshot): LineOfSpans {
  return [
    { text: ` ${spinnerAt(glyphs, now)} `, tone: 'info', bold: true },
    { text: what, tone: 'info' },
    { text: `  ${formatDuration(now - since)}`, tone: 'dim' },
    { text: '  Esc stops', tone: 'dim' },
  ];
}

function talk(snapshot: Snapshot): LineOfSpans {
  const { mode } = snapshot.ui;
  if (mode.name === 'filter') return typing(snapshot);
  if (mode.name === 'prompt') return prompting(mode.prompt);
  const work = snapshot.browse?.work;
  return work ? working(work, snapshot) : (flashLines(snapshot).at(-1) ?? []);
}

/** The line for what was just said, for what is being typed, or for what is being waited for. */
export function TalkLine({ snapshot }: { snapshot: Snapshot }) {
  return <Line spans={talk(snapshot)} columns={snapshot.columns} glyphs={snapshot.glyphs} />;
}

const BY_MODE: Readonly<Partial<Record<Mode['name'], readonly Hint[]>>> = {
  help: [
    { key: 'Esc', label: 'close the help' },
    { key: 'PgDn', label: 'read on' },
  ],
  filter: [
    { key: 'Enter', label: 'keep the filter' },
    { key: 'Esc', label: 'clear it' },
  ],
  prompt: [
    { key: 'Enter', label: 'go' },
    { key: '^U', label: 'clear' },
    { key: 'Esc', label: 'close' },
  ],
  palette: [
    { key: 'Enter', label: 'run' },
    { key: 'Esc', label: 'close' },
  ],
  dialog: [{ key: 'Esc', label: 'close, nothing happens' }],
};

/** The footer, from the table that the keys come from. */
export function KeyLine({ snapshot }: { snapshot: Snapshot }) {
  const { ui, columns, glyphs } = snapshot;
  const hints = commandsAt(snapshot).flatMap((command): Hint[] => {
    const [key] = command.keys;
    // What cannot be done now is in the help, with the reason; here it would only look as if it could.
    if (!command.label || key === undefined || command.disabled?.(snapshot) !== undefined) return [];
    return [{ key: keyLabel(key, glyphs), label: command.label, first: command.name === 'help' }];
  });
  return <Footer hints={BY_MODE[ui.mode.name] ?? hints} columns={columns} glyphs={glyphs} />;
}
