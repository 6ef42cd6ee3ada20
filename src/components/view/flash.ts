import { troubleUnderCursor } from './lists/index.ts';
import { SEVERITY_TONE } from './lists/log.ts';
import { lineWidth, wrap } from './text.ts';
import type { Line, Snapshot } from './types.ts';

const MOST_LINES = 5;
const INDENT = '   ';

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
  const one: Line = [
    { text: ` ${sign} `, tone, bold: true },
    { text: entry.text, tone },
    { text: entry.hint ? `  ${entry.hint}` : '', tone: 'dim' },
  ];
  if (entry.severity !== 'error' || entry.folded || lineWidth(one) <= columns) return [one];
  const room = columns - INDENT.length - 1;
  const why = wrap(entry.text, room).map(
    (text, index): Line => [
      { text: index === 0 ? ` ${sign} ` : INDENT, tone, bold: true },
      { text, tone },
    ],
  );
  const what = entry.hint ? wrap(entry.hint, room).map((text): Line => [{ text: INDENT + text }]) : [];
  const [first = one, ...rest] = [...why.slice(0, MOST_LINES - Math.min(2, what.length)), ...what];
  return [first, ...rest.slice(0, MOST_LINES - 1)];
}
