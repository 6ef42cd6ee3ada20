import type { Color, InputEvent, MouseInput } from './events.ts';
import { ALT, type CharacterKey, characterName, withModifiers } from './key-names.ts';

const FINALS: Readonly<Record<string, string>> = {
  A: 'up',
  B: 'down',
  C: 'right',
  D: 'left',
  H: 'home',
  F: 'end',
  P: 'f1',
  Q: 'f2',
  R: 'f3',
  S: 'f4',
};

const NUMBERS: Readonly<Record<number, string>> = {
  1: 'home',
  2: 'insert',
  3: 'delete',
  4: 'end',
  5: 'pgup',
  6: 'pgdn',
  7: 'home',
  8: 'end',
  11: 'f1',
  12: 'f2',
  13: 'f3',
  14: 'f4',
  15: 'f5',
  17: 'f6',
  18: 'f7',
  19: 'f8',
  20: 'f9',
  21: 'f10',
  23: 'f11',
  24: 'f12',
};

function key(name: string | undefined): InputEvent | undefined {
  return name === undefined ? undefined : { type: 'key', name };
}

/** The event of `ESC O`, a number of modifiers if there are any, and a character. */
export function ss3Event(modifiers: string, final: string, alt: boolean): InputEvent | undefined {
  return final in FINALS ? csiEvent(modifiers === '' ? '' : `1;${modifiers}`, final, alt) : undefined;
}

/**
 * The event of a control sequence: `ESC [`, parameters with intermediate bytes (`body`), and a final byte. Undefined
 * for sequences that mean nothing here. `alt`: there was another Esc before it.
 */
export function csiEvent(body: string, final: string, alt: boolean): InputEvent | undefined {
  const [prefix = ''] = /^[<=>?]/.exec(body) ?? [];
  const rest = body.slice(prefix.length);
  if (prefix !== '') return privateEvent(prefix, rest, final);
  if (!/^[\d;:]*$/.test(rest)) return undefined;
  return keySequence(rest, final, alt) ?? reply(rest, final);
}

function reply(rest: string, final: string): InputEvent | undefined {
  if (final === 'I' || final === 'O')
    return rest === '' ? { type: 'reply', kind: 'focus', focused: final === 'I' } : undefined;
  const [row = 0, column = 0] = numbers(rest);
  return final === 'R' && row > 0 && column > 0
    ? { type: 'reply', kind: 'cursor', row: row - 1, column: column - 1 }
    : undefined;
}

function numbers(text: string): number[] {
  return text.split(';').map(Number);
}

function privateEvent(prefix: string, rest: string, final: string): InputEvent | undefined {
  if (prefix === '<') return mouseEvent(rest, final);
  const mode = /^(\d+);(\d)\$$/.exec(rest);
  if (prefix === '?' && final === 'y' && mode)
    return { type: 'reply', kind: 'mode', mode: Number(mode[1]), setting: Number(mode[2]) };
  if (!/^\d[\d;]*$/.test(rest)) return undefined;
  if (prefix === '?' && final === 'u')
    return { type: 'reply', kind: 'keyboard', flags: Number.parseInt(rest, 10) };
  if (final === 'c' && (prefix === '?' || prefix === '>'))
    return { type: 'reply', kind: 'attributes', level: prefix === '?' ? 1 : 2, values: numbers(rest) };
  return undefined;
}

/** Parameters of a key: `code:shifted;modifiers:event;text`. */
function keySequence(rest: string, final: string, alt: boolean): InputEvent | undefined {
  const [first = [], second = [], third = []] = rest
    .split(';')
    .map((part) => part.split(':').map((value) => (value === '' ? undefined : Number(value))));
  const [modifiers = 1, event = 1] = second;
  const bits = Math.max(0, modifiers - 1) | (alt ? ALT : 0);
  const [code = 1, shifted] = first;
  const isRelease = event === 3;
  if (final === '~' && code === 27) {
    const [other] = third;
    return other === undefined ? undefined : key(characterName({ code: other, bits, shifted: other }));
  }
  const name = nameOf({ code, bits, shifted, text: textOf(third) }, final, rest);
  return isRelease ? undefined : key(name);
}

function nameOf(character: CharacterKey, final: string, rest: string): string | undefined {
  const { code, bits } = character;
  if (final === 'u') return rest === '' ? undefined : characterName(character);
  if (final === 'Z') return withModifiers('tab', bits | 1);
  const name =
    final === '~' ? NUMBERS[code] : code === 1 && !isCursorReport(rest, final) ? FINALS[final] : undefined;
  return name && withModifiers(name, bits);
}

/** F3 with modifiers is not used, but reports of the cursor have the same form. */
function isCursorReport(rest: string, final: string): boolean {
  return final === 'R' && rest.includes(';');
}

/** The text of a key, if it is one printable character. */
function textOf(codes: readonly (number | undefined)[]): string | undefined {
  const [code] = codes;
  const printable = codes.length === 1 && code !== undefined && code >= 0x20 && code <= 0x10ffff;
  return printable && !(code >= 0x7f && code < 0xa0) && !(code >= 0xd800 && code <= 0xdfff)
    ? String.fromCodePoint(code)
    : undefined;
}

const BUTTONS = ['left', 'middle', 'right', 'none'] as const;
const MODIFIED = 4 | 8 | 16;
const MOVE = 32;
const WHEEL = 64;
const MORE_BUTTONS = 128;

function mouseEvent(rest: string, final: string): MouseInput | undefined {
  if ((final !== 'M' && final !== 'm') || !/^\d+;\d+;\d+$/.test(rest)) return undefined;
  const [code = 0, x = 0, y = 0] = numbers(rest);
  const place = { column: x - 1, row: y - 1, modified: (code & MODIFIED) !== 0 };
  const button = BUTTONS[code & 3] ?? 'none';
  if (x < 1 || y < 1 || code >= MORE_BUTTONS) return undefined;
  if (code & WHEEL) {
    const turns = final === 'M' && (button === 'left' || button === 'middle');
    const action = button === 'left' ? 'wheel-up' : 'wheel-down';
    return turns ? { type: 'mouse', action, button: 'none', ...place } : undefined;
  }
  const action = final === 'm' ? 'release' : code & MOVE ? 'move' : 'press';
  return { type: 'mouse', action, button, ...place };
}

const COLORS: Readonly<Record<string, 'foreground' | 'background'>> = { 10: 'foreground', 11: 'background' };

/** The event of an operating system command: the text between `ESC ]` and its terminator. */
export function oscEvent(text: string): InputEvent | undefined {
  const match = /^(?:(1[01])|4;(\d{1,3}));(.+)$/.exec(text);
  const color = parseColor(match?.[3] ?? '');
  const of = COLORS[match?.[1] ?? ''] ?? Number(match?.[2]);
  return color && { type: 'reply', kind: 'color', of, color };
}

/** A color as terminals reply it: `rgb:1e1e/1e1e/1e1e`, with one to four digits, or `#1e1e1e`. */
function parseColor(text: string): Color | undefined {
  const match =
    /^rgba?:([\da-f]{1,4})\/([\da-f]{1,4})\/([\da-f]{1,4})(?:\/[\da-f]{1,4})?$/i.exec(text) ??
    /^#([\da-f]{2})([\da-f]{2})([\da-f]{2})$/i.exec(text);
  if (!match) return undefined;
  const [red = 0, green = 0, blue = 0] = match.slice(1, 4).map(channel);
  return { red, green, blue };
}

function channel(hex: string): number {
  return Math.round((Number.parseInt(hex, 16) * 255) / (16 ** hex.length - 1));
}
