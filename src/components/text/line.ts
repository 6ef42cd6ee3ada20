import { sanitize, width } from '../../core/text/sanitize.ts';
import { truncate } from './text.ts';

/** Meaning of a span of text; the theme maps it to a style. */
export type Tone = 'plain' | 'dim' | 'good' | 'bad' | 'warn' | 'info' | 'accent' | 'title';

/** Part of a line, in one style. */
export interface Span {
  text: string;
  tone?: Tone;
  bold?: boolean;
}

export type Line = readonly Span[];

/** The lines of the row under the cursor: `from` included, `to` not. */
export interface CursorLines {
  from: number;
  to: number;
}

/** Width of a line in columns. */
export function lineWidth(line: Line): number {
  return line.reduce((sum, span) => sum + width(sanitize(span.text)), 0);
}

/** The line in exactly `columns` columns: sanitized, and cut or padded. */
export function fitLine(line: Line, columns: number, ellipsis = '…'): Span[] {
  const fitted: Span[] = [];
  let left = columns;
  for (const [index, span] of line.entries()) {
    const text = sanitize(span.text);
    const size = width(text);
    const more = line.slice(index + 1).some((later) => later.text !== '');
    if (size < left || (size === left && !more)) {
      fitted.push({ ...span, text });
      left -= size;
      continue;
    }
    // The ellipsis also replaces a span that fits, if there is no space left for the next one.
    const cut = truncate(more && size === left ? `${text} ` : text, left, ellipsis);
    fitted.push({ ...span, text: cut });
    left -= width(cut);
    break;
  }
  return left > 0 ? [...fitted, { text: ' '.repeat(left) }] : fitted;
}

/** Two parts at the left and right edge of one line; the left one is cut if both do not fit. */
export function justify(left: Line, right: Line, columns: number, ellipsis = '…'): Span[] {
  const size = Math.min(lineWidth(right), columns);
  return [...fitLine(left, columns - size, ellipsis), ...fitLine(right, size, ellipsis)];
}

function withoutPadding(line: Line): Line {
  const last = line.findLastIndex(({ text }) => text.trimEnd() !== '');
  const span = line[last];
  return span ? [...line.slice(0, last), { ...span, text: span.text.trimEnd() }] : [];
}

/** The line with a mark at its right edge, which says that there is more above or below. */
export function withMark(line: Line, mark: string, columns: number, ellipsis = '…'): Span[] {
  if (mark === '') return fitLine(line, columns, ellipsis);
  return [
    ...fitLine(withoutPadding(line), columns - 2, ellipsis),
    { text: ` ${mark}`, tone: 'info', bold: true },
  ];
}

/** The mark of a visible line: the first one shows that there is more above, the last one that there is more below. */
export function moreMark(
  line: number,
  shown: { top: number; height: number; count: number },
  arrows: { up: string; down: string },
): string {
  const { top, height, count } = shown;
  if (line === height - 1 && top + height < count) return arrows.down;
  return line === 0 && top > 0 ? arrows.up : '';
}

/** Merges adjacent spans of the same style. */
export function mergeSpans(line: Line): Span[] {
  const spans: Span[] = [];
  for (const span of line) {
    const last = spans.at(-1);
    const blank = span.text.trim() === '';
    // Spaces look the same in every tone.
    if (last && (blank || (last.tone === span.tone && last.bold === span.bold))) last.text += span.text;
    else if (span.text !== '') spans.push({ ...span });
  }
  return spans;
}
