import { graphemes, sanitize, width } from './sanitize.ts';
import type { Line, Span } from './types.ts';

/** The text cut to `columns`, its end marked when something was lost. The text must be sanitized. */
export function truncate(text: string, columns: number, mark = '…'): string {
  if (columns <= 0) return '';
  if (width(text) <= columns) return text;
  const room = columns - width(mark);
  return room < 0 ? '' : take(text, room) + mark;
}

/** As many whole characters from the start as fit. */
export function take(text: string, columns: number): string {
  let taken = '';
  let used = 0;
  for (const part of graphemes(text)) {
    used += width(part);
    if (used > columns) break;
    taken += part;
  }
  return taken;
}

/** The text in exactly `columns` columns: sanitized, cut or filled with spaces. */
export function fit(text: string, columns: number, align: 'left' | 'right' = 'left', mark = '…'): string {
  const shown = truncate(sanitize(text), columns, mark);
  const space = ' '.repeat(Math.max(0, columns - width(shown)));
  return align === 'right' ? space + shown : shown + space;
}

/** Columns of a line. */
export function lineWidth(line: Line): number {
  return line.reduce((sum, span) => sum + width(sanitize(span.text)), 0);
}

/** The line in exactly `columns` columns: sanitized, cut with a mark or filled with spaces. */
export function fitLine(line: Line, columns: number, mark = '…'): Span[] {
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
    // What does not fit, or fits with nothing left for what follows, carries the mark.
    const cut = truncate(more && size === left ? `${text} ` : text, left, mark);
    fitted.push({ ...span, text: cut });
    left -= width(cut);
    break;
  }
  return left > 0 ? [...fitted, { text: ' '.repeat(left) }] : fitted;
}

/** Both ends on one line; the left gives way where both do not fit. */
export function spread(left: Line, right: Line, columns: number, mark = '…'): Span[] {
  const size = Math.min(lineWidth(right), columns);
  return [...fitLine(left, columns - size, mark), ...fitLine(right, size, mark)];
}

/** A file's name without the path. */
export function bareName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** The text in lines of at most `columns`, broken at spaces where there are any. */
export function wrap(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of sanitize(text)
    .split(' ')
    .flatMap((part) => pieces(part, columns))) {
    const joined = line === '' ? word : `${line} ${word}`;
    if (width(joined) <= columns) {
      line = joined;
      continue;
    }
    lines.push(line);
    line = word;
  }
  return [...lines, line];
}

function pieces(word: string, columns: number): string[] {
  if (width(word) <= columns || columns < 2) return [word];
  const head = take(word, columns);
  return [head, ...pieces(word.slice(head.length), columns)];
}

/** The line with neighbours of one look joined. */
export function joined(line: Line): Span[] {
  const spans: Span[] = [];
  for (const span of line) {
    const last = spans.at(-1);
    const blank = span.text.trim() === '';
    // Spaces look alike in every tone.
    if (last && (blank || (last.tone === span.tone && last.bold === span.bold))) last.text += span.text;
    else if (span.text !== '') spans.push({ ...span });
  }
  return spans;
}

/** Shortest that a long word is cut to: enough of both its ends to know it. */
const LEAST_WORD = 24;

/** The text with its longest words, which are paths and names, cut in the middle until it fits or none is long. */
export function squeeze(text: string, columns: number, mark = '…'): string {
  const excess = width(text) - columns;
  if (excess <= 0) return text;
  const words = text.split(' ');
  const longest = words.reduce((best, word) => (width(word) > width(best) ? word : best), '');
  const size = width(longest);
  if (size <= LEAST_WORD) return text;
  const shorter = cutMiddle(longest, Math.max(LEAST_WORD, size - excess), mark);
  return squeeze(words.with(words.indexOf(longest), shorter).join(' '), columns, mark);
}

/** The word in `columns` columns, with both its ends: the last tells one file from another. */
function cutMiddle(word: string, columns: number, mark: string): string {
  const head = take(word, Math.floor((columns - width(mark)) / 3));
  const parts = graphemes(word.slice(head.length));
  let tail = '';
  for (const part of parts.toReversed()) {
    if (width(head + mark + part + tail) > columns) break;
    tail = part + tail;
  }
  return head + mark + tail;
}
