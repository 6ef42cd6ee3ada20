import { graphemes, sanitize, width } from '../../core/text/sanitize.ts';
import type { Line, Span } from '../view/types.ts';

/** Cuts a text to `columns`, with an ellipsis if anything was removed. The text must be sanitized. */
export function truncate(text: string, columns: number, ellipsis = '…'): string {
  if (columns <= 0) return '';
  if (width(text) <= columns) return text;
  const room = columns - width(ellipsis);
  return room < 0 ? '' : take(text, room) + ellipsis;
}

/** As many characters from the start as fit. */
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

/** The text in exactly `columns` columns: sanitized, and cut or padded. */
export function fit(text: string, columns: number, align: 'left' | 'right' = 'left', ellipsis = '…'): string {
  const shown = truncate(sanitize(text), columns, ellipsis);
  const space = ' '.repeat(Math.max(0, columns - width(shown)));
  return align === 'right' ? space + shown : shown + space;
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

/** The last segment of a path. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** Wraps a text into lines of at most `columns`, at spaces if possible. */
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

/** Minimum width of a shortened word: enough of its start and end to recognize it. */
const MIN_WORD = 24;

/** Cuts the longest words (paths and names) in the middle until the text fits or no long word is left. */
export function shorten(text: string, columns: number, ellipsis = '…'): string {
  const excess = width(text) - columns;
  if (excess <= 0) return text;
  const words = text.split(' ');
  const longest = words.reduce((best, word) => (width(word) > width(best) ? word : best), '');
  const size = width(longest);
  if (size <= MIN_WORD) return text;
  const shorter = cutMiddle(longest, Math.max(MIN_WORD, size - excess), ellipsis);
  return shorten(words.with(words.indexOf(longest), shorter).join(' '), columns, ellipsis);
}

/** Cuts a word in the middle: its end distinguishes one file from another. */
function cutMiddle(word: string, columns: number, ellipsis: string): string {
  const head = take(word, Math.floor((columns - width(ellipsis)) / 3));
  const parts = graphemes(word.slice(head.length));
  let tail = '';
  for (const part of parts.toReversed()) {
    if (width(head + ellipsis + part + tail) > columns) break;
    tail = part + tail;
  }
  return head + ellipsis + tail;
}
