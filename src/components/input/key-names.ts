/** Bits of modifiers in sequences of xterm and the kitty keyboard protocol. */
const SHIFT = 1;
export const ALT = 2;
const CTRL = 4;
const CAPS_LOCK = 64;
const NUM_LOCK = 128;

const PREFIXES = [
  [32, 'meta-'],
  [16, 'hyper-'],
  [8, 'super-'],
  [ALT, 'alt-'],
  [CTRL, 'ctrl-'],
  [SHIFT, 'shift-'],
] as const;

/** The name of a key with modifiers. */
export function withModifiers(name: string, bits: number): string {
  const prefix = PREFIXES.map(([bit, text]) => (bits & bit ? text : '')).join('');
  return prefix !== '' && name === ' ' ? `${prefix}space` : prefix + name;
}

const CONTROLS: Readonly<Record<number, string>> = {
  0: 'ctrl-space',
  8: 'backspace',
  9: 'tab',
  10: 'enter',
  13: 'enter',
  27: 'esc',
  127: 'backspace',
};

/** The name of an ASCII character, including control characters. */
export function asciiName(code: number): string {
  return (
    CONTROLS[code] ??
    (code < 0x20 ? `ctrl-${String.fromCharCode(code + 0x40).toLowerCase()}` : String.fromCharCode(code))
  );
}

const KEYPAD = '0123456789./*-+\n=,';
const KEYPAD_START = 57_399;
const KEYPAD_KEYS = ['left', 'right', 'up', 'down', 'pgup', 'pgdn', 'home', 'end', 'insert', 'delete'];
const KEYPAD_KEYS_START = KEYPAD_START + KEYPAD.length;
/** Keys without a character, such as media keys, are in a private use area. */
const PRIVATE_USE = [57_344, 63_743] as const;

/** What the terminal says about a key with a character. */
export interface CharacterKey {
  /** Unicode code of the key without modifiers. */
  code: number;
  bits: number;
  /** Unicode code of the key with Shift. */
  shifted?: number;
  /** The text that the key types. */
  text?: string;
}

/** The name of a key that is sent as a number, in the form of kitty (`CSI u`) or xterm (`modifyOtherKeys`). */
export function characterName(key: CharacterKey): string | undefined {
  const { code } = key;
  const bits = key.bits & ~(CAPS_LOCK | NUM_LOCK);
  const keypad = KEYPAD[code - KEYPAD_START];
  if (keypad !== undefined) return withModifiers(asciiName(keypad.charCodeAt(0)), bits);
  const named = KEYPAD_KEYS[code - KEYPAD_KEYS_START];
  if (named !== undefined) return withModifiers(named, bits);
  if (!isCharacter(code)) return undefined;
  if (code < 0x20 || code === 0x7f) return withModifiers(asciiName(code), bits);
  // The same name as that of the control character, which other terminals send.
  if (bits === CTRL && (code === 0x20 || (code > 0x40 && code < 0x7f))) return asciiName(code & 0x1f);
  if (bits === 0 || bits === SHIFT) return typedName(key, bits);
  return withModifiers(String.fromCodePoint(code), bits);
}

function isCharacter(code: number): boolean {
  const [first, last] = PRIVATE_USE;
  return (
    Number.isInteger(code) &&
    code > 0 &&
    code <= 0x10ffff &&
    !(code >= 0x80 && code < 0xa0) &&
    !(code >= 0xd800 && code <= 0xdfff) &&
    !(code >= first && code <= last)
  );
}

function typedName({ code, bits: all, shifted, text }: CharacterKey, bits: number): string {
  if (text !== undefined) return text;
  if (bits === SHIFT && shifted !== undefined && isCharacter(shifted)) return String.fromCodePoint(shifted);
  const character = String.fromCodePoint(code);
  const upper = character.toUpperCase();
  if (upper === character) return withModifiers(character, bits);
  return Boolean(all & CAPS_LOCK) === Boolean(bits) ? character : upper;
}
