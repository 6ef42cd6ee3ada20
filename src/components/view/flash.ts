import { troubleUnderCursor } from './lists/index.ts';
import { SEVERITY_TONE } from './lists/log.ts';
import { sanitize } from './sanitize.ts';
import { lineWidth, squeeze, wrap } from './text.ts';
import type { Line, Snapshot } from './types.ts';

const MOST_LINES = 5;
const INDENT = '   ';
/** Least share of the line that what happened gets beside what to do. */
const TEXT_SHARE = 0.6;

/**
 * What was said last, or what is wrong with the row under the cursor. An error takes the lines that it needs to say
 * what failed, why, and what to do, until the next key folds it into one.
 */
export function flashLines(snapshot: Snapshot): readonly [Line, ...Line[]] {
  const { ui, glyphs, columns } = snapshot;
  const entry = ui.flash;
  // The column of a table is too narrow for a reason; this line is not.
  if (!entry) return [[{ text: ` ${troubleUnderCursor(snapshot)}`, tone: 'bad' }]];
  const sign = { info: glyphs.dot, good: glyphs.ok, warn: glyphs.warn, error: glyphs.bad }[entry.severity];
  const tone = SEVERITY_TONE[entry.severity];
  const line = (text: string): Line => [
    { text: ` ${sign} `, tone, bold: true },
    { text, tone },
    { text: entry.hint ? `  ${entry.hint}` : '', tone: 'dim' },
  ];
  if (lineWidth(line(entry.text)) <= columns) return [line(entry.text)];
  if (entry.severity !== 'error' || entry.folded) {
    const rest = lineWidth(line(''));
    const most = Math.max(Math.floor(columns * TEXT_SHARE), columns - rest);
    return [line(squeeze(sanitize(entry.text), most, glyphs.more))];
  }
  const room = columns - INDENT.length - 1;
  const why = wrap(entry.text, room).map(
    (text, index): Line => [
      { text: index === 0 ? ` ${sign} ` : INDENT, tone, bold: true },
      { text, tone },
    ],
  );
  const what = entry.hint ? wrap(entry.hint, room).map((text): Line => [{ text: INDENT + text }]) : [];
  const [first = [], ...rest] = [...why.slice(0, MOST_LINES - Math.min(2, what.length)), ...what];
  return [first, ...rest.slice(0, MOST_LINES - 1)];
}
