const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const COMMA = 0x2c;
const OPEN_BRACE = 0x7b;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACE = 0x7d;
/** From an opening brace or bracket to the closing one. */
const TO_CLOSING = 2;
const NUMBER = /^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$/;
const REPLACEMENT = [0xef, 0xbf, 0xbd];
const FOLDED = /^[a-z0-9_]*$/;

/** A hundred times what the server's reader accepts. */
const MAX_DEPTH = 1_000_000;
/** A line has ten members, a manifest six; each takes many times its text in memory. */
const MAX_MEMBERS = 100_000;

/** A member of an object: its key, and the span of its value in the text. */
export interface Member {
  key: string;
  start: number;
  end: number;
}

/** The text is not a JSON object. */
export class JsonSyntaxError extends Error {}

/**
 * The members of the JSON object `text`, in order, duplicate keys included. Strict, except that strings may contain
 * invalid UTF-8. Values are located, not decoded, so a line of many megabytes stays bytes.
 * Throws `JsonSyntaxError`.
 */
export function readMembers(text: Buffer): Member[] {
  const members: Member[] = [];
  let at = skipSpace(text, 0);
  if (text[at] !== OPEN_BRACE) throw new JsonSyntaxError('not a JSON object');
  at = skipSpace(text, at + 1);
  if (text[at] === CLOSE_BRACE) return expectEnd(text, at + 1, members);
  for (;;) {
    const keyEnd = stringEnd(text, at);
    const start = skipSpace(text, afterColon(text, keyEnd));
    const end = valueEnd(text, start);
    if (members.length === MAX_MEMBERS) throw new JsonSyntaxError('too many members');
    members.push({ key: decodeString(text, { start: at, end: keyEnd }), start, end });
    at = skipSpace(text, end);
    if (text[at] === CLOSE_BRACE) return expectEnd(text, at + 1, members);
    if (text[at] !== COMMA) throw new JsonSyntaxError('missing comma');
    at = skipSpace(text, at + 1);
  }
}

/** Folds a key as the server does: to lower case, and the two non-ASCII letters that fold to ASCII. */
export function foldKey(key: string): string {
  if (FOLDED.test(key)) return key;
  return key
    .replaceAll('\u017f', 's')
    .replaceAll('\u212a', 'k')
    .replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/** Decodes the string at `span`, which includes its quotes. */
export function decodeString(text: Buffer, span: { start: number; end: number }): string {
  const { start, end } = span;
  return hasEscape(text, start, end)
    ? decodeBytes(text, span).toString('utf8')
    : text.toString('utf8', start + 1, end - 1);
}

/**
 * Decodes the string at `span`, which includes its quotes, to bytes; invalid UTF-8 is kept. Unpaired surrogates
 * become U+FFFD.
 */
export function decodeBytes(text: Buffer, span: { start: number; end: number }): Buffer {
  const body = text.subarray(span.start + 1, span.end - 1);
  let slash = body.indexOf(BACKSLASH);
  if (slash < 0) return body;
  const out = Buffer.allocUnsafe(body.length);
  let length = 0;
  let from = 0;
  while (slash >= 0) {
    length += body.copy(out, length, from, slash);
    const [bytes, next] = decodeEscape(body, slash);
    out.set(bytes, length);
    length += bytes.length;
    from = next;
    slash = body.indexOf(BACKSLASH, from);
  }
  length += body.copy(out, length, from);
  return out.subarray(0, length);
}

const ESCAPES: Record<string, number> = { b: 8, f: 12, n: 10, r: 13, t: 9, '"': 0x22, '\\': 0x5c, '/': 0x2f };

function decodeEscape(body: Buffer, slash: number): [bytes: ArrayLike<number>, next: number] {
  const simple = ESCAPES[String.fromCharCode(body[slash + 1] as number)];
  if (simple !== undefined) return [[simple], slash + 2];
  const first = unicodeEscape(body, slash);
  if (first < 0xd800 || first > 0xdfff) return [Buffer.from(String.fromCharCode(first)), slash + 6];
  const second = first < 0xdc00 ? unicodeEscape(body, slash + 6) : 0;
  if (second < 0xdc00 || second > 0xdfff) return [REPLACEMENT, slash + 6];
  return [Buffer.from(String.fromCharCode(first, second)), slash + 12];
}

function unicodeEscape(body: Buffer, slash: number): number {
  if (body[slash] !== BACKSLASH || body[slash + 1] !== 0x75) return 0;
  return Number.parseInt(body.toString('latin1', slash + 2, slash + 6), 16);
}

/** A plain loop: for short strings, `indexOf` costs more. */
function hasEscape(text: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (text[at] === BACKSLASH) return true;
  return false;
}

function expectEnd(text: Buffer, at: number, members: Member[]): Member[] {
  if (skipSpace(text, at) < text.length) throw new JsonSyntaxError('data after the object');
  return members;
}

function skipSpace(text: Buffer, from: number): number {
  for (let at = from; ; at++) {
    const byte = text[at];
    if (byte !== 0x20 && byte !== 0x09 && byte !== 0x0d && byte !== 0x0a) return at;
  }
}

function afterColon(text: Buffer, from: number): number {
  const at = skipSpace(text, from);
  if (text[at] !== COLON) throw new JsonSyntaxError('missing colon');
  return at + 1;
}

/** The end of the value that starts at `start`. Not recursive, for values that are nested deeply. */
function valueEnd(text: Buffer, start: number): number {
  const closings: number[] = [];
  for (let at = start; ; ) {
    at = skipSpace(text, at);
    const byte = text[at];
    if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      const closing = byte + TO_CLOSING;
      at = skipSpace(text, at + 1);
      if (text[at] !== closing) {
        if (closings.push(closing) > MAX_DEPTH) throw new JsonSyntaxError('nested too deeply');
        if (closing === CLOSE_BRACE) at = afterColon(text, stringEnd(text, at));
        continue;
      }
      at++;
    } else {
      at = scalarEnd(text, at);
    }
    at = closeContainers(text, at, closings);
    if (closings.length === 0) return at;
  }
}

/** After a value: closes the containers that end here, and stops at the next value. */
function closeContainers(text: Buffer, from: number, closings: number[]): number {
  for (let at = from; closings.length > 0; at++) {
    const closing = closings.at(-1);
    at = skipSpace(text, at);
    if (text[at] === COMMA) {
      if (closing !== CLOSE_BRACE) return at + 1;
      return afterColon(text, stringEnd(text, skipSpace(text, at + 1)));
    }
    if (text[at] !== closing) throw new JsonSyntaxError('unclosed object or array');
    closings.pop();
    if (closings.length === 0) return at + 1;
  }
  return from;
}

function scalarEnd(text: Buffer, start: number): number {
  if (text[start] === QUOTE) return stringEnd(text, start);
  let end = start;
  while (/[0-9A-Za-z+.-]/.test(String.fromCharCode(text[end] ?? 0))) end++;
  const token = text.toString('latin1', start, end);
  if (token !== 'null' && token !== 'true' && token !== 'false' && !NUMBER.test(token)) {
    throw new JsonSyntaxError('invalid value');
  }
  return end;
}

function stringEnd(text: Buffer, quote: number): number {
  if (text[quote] !== QUOTE) throw new JsonSyntaxError('expected a string');
  for (let at = quote + 1; at < text.length; at++) {
    const byte = text[at] as number;
    if (byte === QUOTE) return at + 1;
    if (byte < 0x20) throw new JsonSyntaxError('control character in a string');
    if (byte === BACKSLASH) at = escapeEnd(text, at) - 1;
  }
  throw new JsonSyntaxError('unterminated string');
}

function escapeEnd(text: Buffer, slash: number): number {
  const letter = String.fromCharCode(text[slash + 1] ?? 0);
  if (ESCAPES[letter] !== undefined) return slash + 2;
  const digits = text.toString('latin1', slash + 2, slash + 6);
  if (letter !== 'u' || !/^[0-9A-Fa-f]{4}$/.test(digits)) throw new JsonSyntaxError('invalid escape');
  return slash + 6;
}
