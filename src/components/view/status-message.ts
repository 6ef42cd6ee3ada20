import { sanitize } from '../../core/text/sanitize.ts';
import { lineWidth, shorten, wrap } from '../text/text.ts';
import { problemUnderCursor } from './lists/index.ts';
import { SEVERITY_TONE } from './lists/log.ts';
import type { Line, Snapshot } from './types.ts';

const MAX_LINES = 5;
const INDENT = '   ';
/** Minimum share of the line for the message, next to its hint. */
const TEXT_SHARE = 0.6;

/**
 * The last message, or the problem of the row under the cursor. An error takes several lines if needed, until the next
 * key collapses it into one.
 */
export function statusMessageLines(snapshot: Snapshot): readonly [Line, ...Line[]] {
  const { ui, symbols, columns } = snapshot;
  const entry = ui.statusMessage;
  // Table columns are too narrow for a full error message.
  if (!entry) return [[{ text: ` ${problemUnderCursor(snapshot)}`, tone: 'bad' }]];
  const symbol = { info: symbols.dot, good: symbols.ok, warn: symbols.warn, error: symbols.bad }[
    entry.severity
  ];
  const tone = SEVERITY_TONE[entry.severity];
  const line = (text: string): Line => [
    { text: ` ${symbol} `, tone, bold: true },
    { text, tone },
    { text: entry.hint ? `  ${entry.hint}` : '', tone: 'dim' },
  ];
  if (lineWidth(line(entry.text)) <= columns) return [line(entry.text)];
  if (entry.severity !== 'error' || entry.collapsed) {
    const fixed = lineWidth(line(''));
    const available = Math.max(Math.floor(columns * TEXT_SHARE), columns - fixed);
    return [line(shorten(sanitize(entry.text), available, symbols.ellipsis))];
  }
  const room = columns - INDENT.length - 1;
  const why = wrap(entry.text, room).map(
    (text, index): Line => [
      { text: index === 0 ? ` ${symbol} ` : INDENT, tone, bold: true },
      { text, tone },
    ],
  );
  const what = entry.hint ? wrap(entry.hint, room).map((text): Line => [{ text: INDENT + text }]) : [];
  const [first = [], ...rest] = [...why.slice(0, MAX_LINES - Math.min(2, what.length)), ...what];
  return [first, ...rest.slice(0, MAX_LINES - 1)];
}
