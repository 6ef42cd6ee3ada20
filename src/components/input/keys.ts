import type { Key } from 'ink';

/** Names of keys other than characters; a character is its own name. */
const NAMED = [
  ['upArrow', 'up'],
  ['downArrow', 'down'],
  ['leftArrow', 'left'],
  ['rightArrow', 'right'],
  ['pageUp', 'pgup'],
  ['pageDown', 'pgdn'],
  ['home', 'home'],
  ['end', 'end'],
  ['return', 'enter'],
  ['escape', 'esc'],
  ['tab', 'tab'],
  ['backspace', 'backspace'],
  ['delete', 'backspace'],
] as const satisfies readonly (readonly [keyof Key, string])[];

const CONTROL: Readonly<Record<string, string>> = {
  '\r': 'enter',
  '\n': 'enter',
  '\t': 'tab',
  '\b': 'backspace',
  '\x7f': 'backspace',
  '\x1b': 'esc',
};

/** The rest of an escape sequence, by key, if the Esc arrived separately on a slow line. */
const TAILS: Readonly<Record<string, string>> = {
  A: 'up',
  B: 'down',
  C: 'right',
  D: 'left',
  H: 'home',
  F: 'end',
  '1~': 'home',
  '4~': 'end',
  '5~': 'pgup',
  '6~': 'pgdn',
  '7~': 'home',
  '8~': 'end',
};

const TAIL = /^[[O]([ABCDHF]|[145678]~)/;

/** The key of an escape sequence whose Esc arrived earlier, and the length of its rest in the input. */
export function splitEscapeKey(input: string): { key: string; length: number } | undefined {
  const match = TAIL.exec(input);
  const key = TAILS[match?.[1] ?? ''];
  return match && key ? { key, length: match[0].length } : undefined;
}

function character(part: string): string {
  const named = CONTROL[part];
  if (named) return named;
  const code = part.codePointAt(0) ?? 0;
  return code < 0x20 ? `ctrl-${String.fromCharCode(code + 0x60)}` : part;
}

/** The keys of one Ink input: one key, or any number of characters that arrived together. */
export function keysOf(input: string, key: Key): string[] {
  if (key.eventType === 'release') return [];
  const named = NAMED.find(([flag]) => key[flag]);
  if (named) return [named[1]];
  if (key.ctrl && input.length === 1) return [`ctrl-${input.toLowerCase()}`];
  const keys = Array.from(input, character);
  // Alt is not used: this is an Esc and the next key that arrived together.
  return key.meta && keys.length > 0 ? ['esc', ...keys] : keys;
}
