import type { InputEvent } from './events.ts';
import { ALT, asciiName, withModifiers } from './key-names.ts';
import { createPaste } from './paste.ts';
import { csiEvent, oscEvent, ss3Event } from './sequences.ts';
import { createUtf8 } from './utf8.ts';

/** Turns the bytes of a terminal into events. Times are in milliseconds, of any clock. */
export interface Decoder {
  /** Decodes bytes that arrived at `now`. */
  push(bytes: Uint8Array, now: number): InputEvent[];
  /** When `expire` has to be called if no bytes arrive before; undefined if nothing is unfinished. */
  readonly deadline: number | undefined;
  /** Decides what the unfinished bytes are: a lone Esc is a key, a paste ends, anything else is dropped. */
  expire(now: number): InputEvent[];
}

/** What the next byte is part of. */
type State =
  | 'ground'
  /** After Esc: a key, or the start of a sequence. */
  | 'esc'
  /** After an Esc that was taken for the key: the rest of its sequence may still come. */
  | 'late'
  /** A sequence of Esc and two characters. */
  | 'charset'
  | 'csi'
  | 'ss3'
  /** A number of bytes that belong to the sequence before. */
  | 'skip'
  /** OSC, DCS, APC, PM or SOS: a text up to its terminator. */
  | 'string'
  | 'paste';

/**
 * How long each state waits for the next byte. On slow lines, sequences arrive in pieces: when in doubt, bytes are
 * dropped, because as keys they would be commands.
 */
const WAIT_MS: Readonly<Record<State, number | undefined>> = {
  ground: undefined,
  esc: 100,
  late: 300,
  charset: 100,
  csi: 1_000,
  ss3: 1_000,
  skip: 1_000,
  string: 1_000,
  paste: 1_000,
};

/** Each byte of a sequence or paste extends its wait by this much, up to the full wait: someone who types does not. */
const MS_PER_BYTE = 60;
/** After a paste without an end, this many bytes at once, within this time, are the rest of it. */
const LATE_PASTE_BYTES = 16;
const LATE_PASTE_MS = 10_000;
/** Longer sequences are dropped. */
const MAX_SEQUENCE = 1_024;

const ESC = 0x1b;
const BEL = 0x07;
const BACKSLASH = 0x5c;
const CTRL_C = 0x03;
/** Cancel a sequence. */
const CAN = 0x18;
const SUB = 0x1a;
const STRING_END = 0x9c;

/** The state after an Esc and the character of an introducer; 8-bit controls are these characters + 0x40. */
const INTRODUCERS: Readonly<Record<string, State>> = {
  '[': 'csi',
  O: 'ss3',
  ']': 'string',
  P: 'string',
  X: 'string',
  '^': 'string',
  _: 'string',
};

export function createDecoder(): Decoder {
  const utf8 = createUtf8();
  let events: InputEvent[] = [];
  let state: State = 'ground';
  let deadline: number | undefined;
  /** An Esc came before the sequence or character. */
  let alt = false;
  let introducer = '';
  let body: number[] = [];
  /** The sequence is malformed or too long; it is read to its end and dropped. */
  let invalid = false;
  /** The last byte of a string was Esc: its terminator, or the start of something else. */
  let escaped = false;
  let skip = 0;
  /** Within the bytes of a UTF-8 character. */
  let partial = false;
  let paste = createPaste();
  let latePasteUntil = 0;

  function enter(next: State): void {
    state = next;
    deadline = undefined;
    if (next === 'ground') alt = false;
  }

  function key(name: string): void {
    events.push({ type: 'key', name });
  }

  function finish(event: InputEvent | undefined): void {
    enter('ground');
    if (event && !invalid) events.push(event);
  }

  function character(name: string): void {
    key(withModifiers(name, alt ? ALT : 0));
    enter('ground');
  }

  function begin(name: string): void {
    introducer = name;
    body = [];
    invalid = false;
    escaped = false;
    enter(INTRODUCERS[name] ?? 'ground');
  }

  function collect(byte: number): void {
    if (body.length < MAX_SEQUENCE) body.push(byte);
    else invalid = true;
  }

  /** Controls within a sequence are not part of it. False for other bytes. */
  function control(byte: number): boolean {
    if (byte >= 0x20) return false;
    if (byte === CTRL_C) key('ctrl-c');
    if (byte === CAN || byte === SUB) enter('ground');
    if (byte === ESC) {
      alt = false;
      enter('esc');
    }
    return true;
  }

  function ground(byte: number) {
    // The character that Alt was held for never came.
    if (partial && (byte & 0xc0) !== 0x80) alt = false;
    const code = utf8.add(byte);
    partial = code === 'more';
    if (code === 'more') {
      state = 'ground';
      deadline = undefined;
    } else if (code === undefined) enter('ground');
    else if (code === ESC) enter('esc');
    else if (code >= 0x80 && code < 0xa0) eightBitControl(code);
    else character(code < 0x80 ? asciiName(code) : String.fromCodePoint(code));
  }

  function eightBitControl(code: number) {
    const name = String.fromCharCode(code - 0x40);
    if (name in INTRODUCERS) begin(name);
    else enter('ground');
  }

  function esc(byte: number) {
    if (byte === ESC) {
      if (alt) key('esc');
      alt = true;
      return enter('esc');
    }
    const name = String.fromCharCode(byte);
    if (name in INTRODUCERS) return begin(name);
    if (alt) key('esc');
    alt = true;
    if (byte >= 0x20 && byte < 0x30) {
      body = [byte];
      return enter('charset');
    }
    ground(byte);
  }

  function late(byte: number) {
    const name = String.fromCharCode(byte);
    if (name in INTRODUCERS) return begin(name);
    enter('ground');
    ground(byte);
  }

  function charset(byte: number) {
    if (byte >= 0x30 && byte < 0x7f) return enter('ground');
    const [first = 0] = body;
    character(asciiName(first));
    ground(byte);
  }

  function csi(byte: number) {
    if (control(byte)) return;
    const final = String.fromCharCode(byte);
    // F1 to F5 of the Linux console.
    if (final === '[' && body.length === 0) return skipNext(1);
    if (byte < 0x40) return collect(byte);
    if (byte >= 0x7f) {
      invalid = true;
      return;
    }
    // The old mouse protocol: three more characters.
    if (final === 'M' && body.length === 0) return skipNext(3);
    const sequence = text() + final;
    if (sequence === '200~') return beginPaste(false);
    if (sequence === '201~') latePasteUntil = 0;
    finish(csiEvent(text(), final, alt));
  }

  function text(): string {
    return String.fromCharCode(...body);
  }

  function skipNext(count: number): void {
    skip = count;
    enter('skip');
  }

  function skipByte(byte: number) {
    if (control(byte)) return;
    // The first byte of a UTF-8 character does not count.
    if (byte < 0xc0) skip -= 1;
    if (skip === 0) enter('ground');
  }

  function ss3(byte: number) {
    if (control(byte)) return;
    const final = String.fromCharCode(byte);
    if (/[\d;]/.test(final)) return collect(byte);
    finish(ss3Event(text(), final, alt));
  }

  function string(byte: number) {
    if (byte === ESC) {
      escaped = true;
      return;
    }
    if (escaped) {
      if (byte === BACKSLASH) return endString();
      alt = false;
      return esc(byte);
    }
    if (byte === BEL && introducer === ']') return endString();
    if (control(byte)) return;
    const before = body.at(-1) ?? 0;
    // Else it is part of a UTF-8 character.
    if (byte === STRING_END && (before < 0x80 || before === 0xc2)) return endString();
    collect(byte);
  }

  function endString(): void {
    finish(introducer === ']' ? oscEvent(text()) : undefined);
  }

  function beginPaste(rest: boolean): void {
    enter('paste');
    paste = createPaste();
    invalid = rest;
  }

  function endPaste(): void {
    finish({ type: 'paste', ...paste.end() });
  }

  const handlers: Readonly<Record<Exclude<State, 'paste'>, (byte: number) => void>> = {
    ground,
    esc,
    late,
    charset,
    csi,
    ss3,
    skip: skipByte,
    string,
  };

  function decode(bytes: Uint8Array): void {
    let index = 0;
    while (index < bytes.length) {
      if (state === 'paste') {
        const rest = paste.add(bytes.subarray(index));
        if (rest === undefined) return;
        endPaste();
        index = bytes.length - rest;
      } else {
        handlers[state](bytes[index] ?? 0);
        index += 1;
      }
    }
  }

  function wait(now: number, bytes: number): void {
    const limit = WAIT_MS[state];
    if (limit === undefined) deadline = undefined;
    else if (deadline === undefined) deadline = now + limit;
    else deadline = Math.min(now + limit, deadline + bytes * MS_PER_BYTE);
  }

  function take(): InputEvent[] {
    const taken = events;
    events = [];
    return taken;
  }

  return {
    push(bytes, now) {
      if (state === 'ground' && now < latePasteUntil && bytes.length >= LATE_PASTE_BYTES) beginPaste(true);
      decode(bytes);
      wait(now, bytes.length);
      return take();
    },
    get deadline() {
      return deadline;
    },
    expire(now) {
      const ended = state;
      if (ended === 'esc') {
        if (alt) key('esc');
        key('esc');
      } else if (ended === 'charset') character(asciiName(body[0] ?? 0));
      else if (ended === 'paste') {
        endPaste();
        latePasteUntil = now + LATE_PASTE_MS;
      }
      enter(ended === 'esc' ? 'late' : 'ground');
      alt = false;
      wait(now, 0);
      return take();
    },
  };
}
