const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACE = 0x7d;
const CLOSE_BRACKET = 0x5d;

/** Our own JSON is at most five levels deep. Deeper values would overflow the stack of `JSON.stringify`. */
const MAX_DEPTH = 64;
/** Objects and arrays in a text: an empty one takes two bytes of text, but many times that in memory. */
const FREE_CONTAINERS = 1000;
const BYTES_PER_CONTAINER = 16;

/**
 * Parses JSON that anybody may have written. Throws a `SyntaxError` also if it is nested deeply, or has so many objects
 * that they would take far more memory than the text.
 */
export function parseUntrustedJson(text: Buffer): unknown {
  checkStructure(text);
  return JSON.parse(text.toString('utf8'));
}

function checkStructure(text: Buffer): void {
  const most = FREE_CONTAINERS + text.length / BYTES_PER_CONTAINER;
  let depth = 0;
  let containers = 0;
  for (let at = 0; at < text.length; at++) {
    const byte = text[at];
    if (byte === QUOTE) at = stringEnd(text, at);
    else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      if (++depth > MAX_DEPTH) throw new SyntaxError('it is nested too deeply');
      if (++containers > most) throw new SyntaxError('it has too many objects');
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) depth--;
  }
}

/** The closing quote of the string that starts at `quote`. */
function stringEnd(text: Buffer, quote: number): number {
  for (let at = quote + 1; at < text.length; at++) {
    if (text[at] === QUOTE) return at;
    if (text[at] === BACKSLASH) at++;
  }
  return text.length;
}
