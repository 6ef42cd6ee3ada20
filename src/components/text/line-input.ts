import { graphemes, sanitize, width } from '../../core/text/sanitize.ts';
import { take } from './text.ts';

/** A line being typed. */
export interface LineInput {
  text: string;
  /** Offset of the cursor in the text; absent at its end. */
  cursor?: number;
}

const WORD_BEFORE = /\S*\s*$/;
const WORD_AFTER = /^\s*\S*/;

function lastOf(text: string): string {
  return graphemes(text).at(-1) ?? '';
}

function firstOf(text: string): string {
  return graphemes(text)[0] ?? '';
}

function joined(before: string, after: string): LineInput {
  return after === '' ? { text: before } : { text: before + after, cursor: before.length };
}

/** What each key does to the text before and after the cursor. */
const KEYS: Readonly<Record<string, (before: string, after: string) => LineInput>> = {
  backspace: (before, after) => joined(before.slice(0, before.length - lastOf(before).length), after),
  delete: (before, after) => joined(before, after.slice(firstOf(after).length)),
  left: (before, after) => moved(before, after, -lastOf(before).length),
  right: (before, after) => moved(before, after, firstOf(after).length),
  'word left': (before, after) => moved(before, after, -(WORD_BEFORE.exec(before)?.[0].length ?? 0)),
  'word right': (before, after) => moved(before, after, WORD_AFTER.exec(after)?.[0].length ?? 0),
  home: (before, after) => joined('', before + after),
  end: (before, after) => joined(before + after, ''),
  'ctrl-u': (_, after) => joined('', after),
  'ctrl-k': (before) => joined(before, ''),
  'ctrl-w': (before, after) => joined(before.replace(WORD_BEFORE, ''), after),
  'alt-d': (before, after) => joined(before, after.replace(WORD_AFTER, '')),
};

const SAME: Readonly<Record<string, string>> = {
  'ctrl-h': 'backspace',
  'ctrl-d': 'delete',
  'ctrl-b': 'left',
  'ctrl-f': 'right',
  'ctrl-a': 'home',
  'ctrl-e': 'end',
  'alt-b': 'word left',
  'alt-left': 'word left',
  'ctrl-left': 'word left',
  'alt-f': 'word right',
  'alt-right': 'word right',
  'ctrl-right': 'word right',
  'alt-backspace': 'ctrl-w',
  'ctrl-backspace': 'ctrl-w',
  'ctrl-delete': 'alt-d',
};

function moved(before: string, after: string, by: number): LineInput {
  const text = before + after;
  return joined(text.slice(0, before.length + by), text.slice(before.length + by));
}

/** The line after a key, as in a shell; undefined if the key does not edit it. */
export function editLine({ text, cursor = text.length }: LineInput, key: string): LineInput | undefined {
  const [before, after] = [text.slice(0, cursor), text.slice(cursor)];
  const edit = KEYS[SAME[key] ?? key];
  if (edit) return edit(before, after);
  // Longer strings are names of keys, such as `enter`.
  return graphemes(key).length > 1 || sanitize(key) === '' ? undefined : joined(before + key, after);
}

/** The parts of the line on both sides of the cursor, in `columns`; of a long line, the part around the cursor. */
export function visibleInput(
  { text, cursor = text.length }: LineInput,
  columns: number,
): { before: string; after: string } {
  const before = text.slice(0, cursor);
  const after = take(text.slice(cursor), Math.max(0, columns - 1));
  const room = Math.max(1, columns - 1 - Math.min(width(after), Math.floor(columns / 3)));
  const parts = graphemes(before);
  let used = 0;
  let from = parts.length;
  while (from > 0 && used + width(parts[from - 1] ?? '') <= room) used += width(parts[--from] ?? '');
  const shown = parts.slice(from).join('');
  return { before: shown, after: take(after, Math.max(0, columns - 1 - width(shown))) };
}
