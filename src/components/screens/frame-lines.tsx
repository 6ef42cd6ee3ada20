import { formatDuration } from '../../core/text/time.ts';
import { hintsAt } from '../input/hints.ts';
import type { Line as LineOfSpans } from '../text/line.ts';
import { spinnerAt } from '../text/symbols.ts';
import { Footer } from '../ui/footer.tsx';
import { Line } from '../ui/line.tsx';
import { currentScreen, listStateAt } from '../view/snapshot.ts';
import { statusMessageLines } from '../view/status-message.ts';
import type { BrowseWork, Prompt, Snapshot } from '../view/types.ts';

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

/** The footer: the keys of the screen or of the mode. */
export function KeyHints({ snapshot }: { snapshot: Snapshot }) {
  return <Footer hints={hintsAt(snapshot)} columns={snapshot.columns} symbols={snapshot.symbols} />;
}
