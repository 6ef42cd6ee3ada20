import { graphemes, sanitize, width } from '../../core/text/sanitize.ts';

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

/** Cuts a word in the middle if it does not fit: its end distinguishes one file from another. */
export function cutMiddle(word: string, columns: number, ellipsis = '…'): string {
  if (width(word) <= columns) return word;
  const head = take(word, Math.floor((columns - width(ellipsis)) / 3));
  const parts = graphemes(word.slice(head.length));
  let tail = '';
  for (const part of parts.toReversed()) {
    if (width(head + ellipsis + part + tail) > columns) break;
    tail = part + tail;
  }
  return head + ellipsis + tail;
}

/** The text of a one-line input after a key; undefined if the key does not edit text. */
export function editText(text: string, key: string): string | undefined {
  if (key === 'backspace') return graphemes(text).slice(0, -1).join('');
  if (key === 'ctrl-u') return '';
  if (key === 'ctrl-w') return text.replace(/\S*\s*$/, '');
  // Longer strings are names of keys, such as `enter`.
  return Array.from(key).length > 1 || sanitize(key) === '' ? undefined : text + key;
}

/** The longest name used as a typed confirmation. */
const MAX_LENGTH = 40;

/** Whether a name is suitable for typed confirmation: short, and printable ASCII only. */
export function isTypeable(name: string): boolean {
  return name.length <= MAX_LENGTH && /^[\x21-\x7e]+$/.test(name);
}
