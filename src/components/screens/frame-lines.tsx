import { formatDuration } from '../../core/text/time.ts';
import { hintsAt } from '../input/hints.ts';
import type { Line as LineOfSpans } from '../text/line.ts';
import { type LineInput, visibleInput } from '../text/line-input.ts';
import { spinnerAt } from '../text/symbols.ts';
import { Footer } from '../ui/footer.tsx';
import { Line } from '../ui/line.tsx';
import { FILTER_HINT } from '../view/lists/filter.ts';
import { rowsAt } from '../view/lists/index.ts';
import { currentScreen, listStateAt } from '../view/snapshot.ts';
import { statusMessageLines } from '../view/status-message.ts';
import type { BrowseWork, Prompt, Snapshot } from '../view/types.ts';

/** The least room for a line being typed; hints are cut first. */
const MIN_INPUT = 40;

/** A line being typed, with its cursor. */
function inputSpans(input: LineInput, columns: number): LineOfSpans {
  const { before, after } = visibleInput(input, Math.max(MIN_INPUT, columns));
  return [{ text: before }, { text: after === '' ? '_' : '|', tone: 'info' }, { text: after }];
}

function filterLine(snapshot: Snapshot, cursor: number | undefined): LineOfSpans {
  const { columns } = snapshot;
  const { problem, similar } = rowsAt(snapshot) ?? {};
  return [
    { text: ' /', tone: 'info', bold: true },
    ...inputSpans({ text: listStateAt(snapshot, currentScreen(snapshot)).filter, cursor }, columns - 2),
    { text: problem ? `   ${problem}` : '', tone: 'bad' },
    { text: similar ? '   no exact match: similar rows' : '', tone: 'warn' },
    { text: `   ${FILTER_HINT}`, tone: 'dim' },
  ];
}

function promptLine({ prefix, error, hint, ...input }: Prompt, { columns }: Snapshot): LineOfSpans {
  const start = ` ${prefix}${prefix.length > 1 ? ' ' : ''}`;
  return [
    { text: start, tone: 'info', bold: true },
    ...inputSpans(input, columns - start.length),
    { text: error ? `   ${error}` : '', tone: 'bad' },
    { text: `   ${hint}`, tone: 'dim' },
  ];
}

function workLine(
  { description: what, progress, since }: BrowseWork,
  { symbols, now }: Snapshot,
): LineOfSpans {
  return [
    { text: ` ${spinnerAt(symbols, now)} `, tone: 'info', bold: true },
    { text: progress ? `${what}: ${progress}` : what, tone: 'info' },
    { text: `  ${formatDuration(now - since)}`, tone: 'dim' },
    { text: '  Esc stops', tone: 'dim' },
  ];
}

function statusLine(snapshot: Snapshot): LineOfSpans {
  const { mode } = snapshot.ui;
  if (mode.name === 'filter') return filterLine(snapshot, mode.cursor);
  if (mode.name === 'prompt') return promptLine(mode.prompt, snapshot);
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
