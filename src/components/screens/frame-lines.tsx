import { formatDuration } from '../../core/text/time.ts';
import { commandsAt } from '../input/keymap.ts';
import type { Line as LineOfSpans } from '../text/line.ts';
import { spinnerAt } from '../text/symbols.ts';
import { Footer, type Hint, keyLabel } from '../ui/footer.tsx';
import { Line } from '../ui/line.tsx';
import { currentScreen, listStateAt } from '../view/snapshot.ts';
import { statusMessageLines } from '../view/status-message.ts';
import type { BrowseWork, Mode, Prompt, Snapshot } from '../view/types.ts';

function filterLine(snapshot: Snapshot): LineOfSpans {
  return [
    { text: ' /', tone: 'info', bold: true },
    { text: listStateAt(snapshot, currentScreen(snapshot)).filter },
    { text: '_', tone: 'info' },
  ];
}

function promptLine({ prefix, text, error, hint }: Prompt): LineOfSpans {
  return [
    { text: ` ${prefix}${prefix.length > 1 ? ' ' : ''}`, tone: 'info', bold: true },
    { text },
    { text: '_', tone: 'info' },
    { text: error ? `   ${error}` : '', tone: 'bad' },
    { text: `   ${hint}`, tone: 'dim' },
  ];
}

function workLine({ description: what, since }: BrowseWork, { symbols, now }: Snapshot): LineOfSpans {
  return [
    { text: ` ${spinnerAt(symbols, now)} `, tone: 'info', bold: true },
    { text: what, tone: 'info' },
    { text: `  ${formatDuration(now - since)}`, tone: 'dim' },
    { text: '  Esc stops', tone: 'dim' },
  ];
}

function statusLine(snapshot: Snapshot): LineOfSpans {
  const { mode } = snapshot.ui;
  if (mode.name === 'filter') return filterLine(snapshot);
  if (mode.name === 'prompt') return promptLine(mode.prompt);
  const work = snapshot.browse?.work;
  return work ? workLine(work, snapshot) : (statusMessageLines(snapshot).at(-1) ?? []);
}

/** The status line: the text being typed, the work in progress, or the last message. */
export function StatusLine({ snapshot }: { snapshot: Snapshot }) {
  return <Line spans={statusLine(snapshot)} columns={snapshot.columns} symbols={snapshot.symbols} />;
}

const BY_MODE: Readonly<Partial<Record<Mode['name'], readonly Hint[]>>> = {
  help: [
    { key: 'Esc', label: 'close help' },
    { key: 'PgDn', label: 'scroll' },
  ],
  filter: [
    { key: 'Enter', label: 'apply filter' },
    { key: 'Esc', label: 'clear' },
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
  dialog: [{ key: 'Esc', label: 'cancel' }],
};

/** The footer, from the command table. */
export function KeyHints({ snapshot }: { snapshot: Snapshot }) {
  const { ui, columns, symbols } = snapshot;
  const hints = commandsAt(snapshot).flatMap((command): Hint[] => {
    const [key] = command.keys;
    // The help lists disabled commands with their reasons; here they would look available.
    if (!command.label || key === undefined || command.disabled?.(snapshot) !== undefined) return [];
    return [{ key: keyLabel(key, symbols), label: command.label, required: command.name === 'help' }];
  });
  return <Footer hints={BY_MODE[ui.mode.name] ?? hints} columns={columns} symbols={symbols} />;
}
