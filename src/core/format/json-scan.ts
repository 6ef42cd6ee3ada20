const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const COMMA = 0x2c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

/**
 * Picks string members of the object that a line holds, by exact key, looking no further than the last of
 * them. It trusts the line to be JSON and never decodes what it passes over, so a line of many megabytes
 * costs little more than a search for quotes.
 */
export function pickStrings(line: Buffer, keys: readonly string[]): Map<string, string> {
  const found = new Map<string, string>();
  let at = skipSpace(line, 0);
  if (line[at] !== OPEN_BRACE) return found;
  at = skipSpace(line, at + 1);
  while (line[at] === QUOTE && found.size < keys.length) {
    const keyEnd = stringEnd(line, at);
    const colon = skipSpace(line, keyEnd);
    if (line[colon] !== COLON) break;
    const start = skipSpace(line, colon + 1);
    const end = valueEnd(line, start);
    const key = line.toString('utf8', at + 1, keyEnd - 1);
    if (line[start] === QUOTE && keys.includes(key)) found.set(key, decode(line.subarray(start, end)));
    at = skipSpace(line, end);
    if (line[at] !== COMMA) break;
    at = skipSpace(line, at + 1);
  }
  return found;
}

function decode(string: Buffer): string {
  try {
    return String(JSON.parse(string.toString('utf8')));
  } catch {
    return '';
  }
}

function skipSpace(line: Buffer, from: number): number {
  let at = from;
  while (line[at] === 0x20 || line[at] === 0x09 || line[at] === 0x0d || line[at] === 0x0a) at++;
  return at;
}

/** Where the string that opens at `quote` is over; the line's length where it never closes. */
function stringEnd(line: Buffer, quote: number): number {
  for (let at = line.indexOf(QUOTE, quote + 1); at >= 0; at = line.indexOf(QUOTE, at + 1)) {
    let slashes = 0;
    while (line[at - 1 - slashes] === BACKSLASH) slashes++;
    if (slashes % 2 === 0) return at + 1;
  }
  return line.length;
}

function valueEnd(line: Buffer, from: number): number {
  let depth = 0;
  for (let at = from; at < line.length; ) {
    const byte = line[at];
    if (byte === QUOTE) {
      at = stringEnd(line, at);
      if (depth === 0) return at;
      continue;
    }
    if (depth === 0 && (byte === COMMA || byte === CLOSE_BRACE)) return at;
    if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth++;
    if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) depth--;
    at++;
    if (depth === 0 && (byte === CLOSE_BRACE || byte === CLOSE_BRACKET)) return at;
  }
  return line.length;
}
