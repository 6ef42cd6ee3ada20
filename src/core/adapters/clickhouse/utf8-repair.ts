import { isUtf8 } from 'node:buffer';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const NEWLINE = 0x0a;
const LETTER_U = 0x75;
const ESCAPED: Record<number, number> = { 98: 0x08, 102: 0x0c, 110: 0x0a, 114: 0x0d, 116: 0x09 };
const RAW_KEY = Buffer.from('","raw":"');
const RAW64_KEY = Buffer.from('","raw64":"');
/** A multiple of three, so that base64 can be encoded in chunks. */
const CHUNK = 192 << 10;

/**
 * Makes the lines of a block readable for JSON parsers without losing a byte of the log.
 *
 * If `raw` is not valid UTF-8, invalid sequences become U+FFFD and the exact bytes are added as `raw64`. Invalid bytes in
 * other members are kept. A block of valid text, the usual case, is returned unchanged.
 */
export function repairLines(block: Buffer): Buffer {
  return isUtf8(block) ? block : Buffer.concat(repaired(block));
}

/** Bisects the block down to the invalid lines: validating is cheap, parsing lines is not. */
function repaired(block: Buffer): Buffer[] {
  if (isUtf8(block)) return [block];
  const half = block.length >> 1;
  const cut = block.lastIndexOf(NEWLINE, half) + 1 || block.indexOf(NEWLINE, half) + 1;
  if (cut === 0 || cut === block.length) return repairLine(block);
  return [...repaired(block.subarray(0, cut)), ...repaired(block.subarray(cut))];
}

function repairLine(line: Buffer): Buffer[] {
  const start = line.indexOf(RAW_KEY) + RAW_KEY.length;
  if (start < RAW_KEY.length) return [line];
  const end = endOfString(line, start);
  const escaped = line.subarray(start, end);
  if (isUtf8(escaped)) return [line];
  const exact = base64(unescapeBytes(escaped));
  return [line.subarray(0, start), ...validText(escaped), RAW64_KEY, ...exact, line.subarray(end)];
}

/** Replaces invalid sequences; in chunks, to keep lines of many megabytes off the string heap. */
function* validText(bytes: Buffer): Generator<Buffer> {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  for (let at = 0; at < bytes.length; at += CHUNK)
    yield Buffer.from(decoder.decode(bytes.subarray(at, at + CHUNK), { stream: true }));
  yield Buffer.from(decoder.decode());
}

function* base64(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += CHUNK)
    yield Buffer.from(bytes.toString('base64', at, at + CHUNK), 'latin1');
}

function endOfString(line: Buffer, start: number): number {
  let at = start;
  while (at < line.length && line[at] !== QUOTE) at += line[at] === BACKSLASH ? 2 : 1;
  return at;
}

/** Unescapes the content of a JSON string, which need not be valid UTF-8. */
export function unescapeBytes(escaped: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(escaped.length);
  let length = 0;
  for (let at = 0; at < escaped.length; ) {
    const byte = escaped[at] as number;
    const letter = escaped[at + 1] ?? BACKSLASH;
    if (byte !== BACKSLASH) {
      bytes[length++] = byte;
      at++;
    } else if (letter === LETTER_U) {
      const size = unicodeSize(escaped, at);
      length += bytes.write(JSON.parse(`"${escaped.toString('latin1', at, at + size)}"`), length);
      at += size;
    } else {
      bytes[length++] = ESCAPED[letter] ?? letter;
      at += 2;
    }
  }
  return bytes.subarray(0, length);
}

/** Length of a `\u` escape; a surrogate pair counts as one. */
function unicodeSize(escaped: Buffer, at: number): number {
  const pair = /^\\u[dD][89abAB]..\\u[dD][c-fC-F]../.test(escaped.toString('latin1', at, at + 12));
  return pair ? 12 : 6;
}
