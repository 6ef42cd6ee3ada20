import stringWidth from 'string-width';

const HARMLESS = /^[\x20-\x7e]*$/;
/** OSC, DCS, SOS, PM and APC strings, up to their terminator or, if it is missing, to the end of the text. */
const STRINGS = /(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c|$|(?=\x1b))/g;
const CSI = /(?:\x1b\[|\x9b)[\x30-\x3f]*[\x20-\x2f]*(?:[\x40-\x7e]|$)/g;
const ESCAPES = /\x1b[\x20-\x2f]*[\x30-\x7e]?/g;
const SPACES = /[\t\n\r\v\f\x85\u2028\u2029]+/g;
const CONTROLS = /[\x00-\x1f\x7f-\x9f]/g;
/** Characters that reverse the reading direction, or join, hide or restyle their neighbors. */
const INVISIBLE = /\p{Default_Ignorable_Code_Point}|\p{Emoji_Modifier}|[\ufff9-\ufffb]/gu;
const FLAGS = /[\u{1f1e6}-\u{1f1ff}]/gu;
const STACKED_MARKS = /(\p{M}{2})\p{M}+/gu;

/**
 * Makes untrusted text safe to display: one line, no control sequences, nothing that reorders or hides its neighbors,
 * and only characters whose width terminals agree on. Idempotent.
 */
export function sanitize(text: string): string {
  if (HARMLESS.test(text)) return text;
  return text
    .toWellFormed()
    .replace(STRINGS, '')
    .replace(CSI, '')
    .replace(ESCAPES, '')
    .replace(SPACES, ' ')
    .replace(CONTROLS, '')
    .replace(INVISIBLE, '')
    .replace(FLAGS, flagLetter)
    .replace(STACKED_MARKS, '$1');
}

/** What `JSON.stringify` leaves as it is, but a terminal obeys or hides. */
const UNESCAPED = /[\x7f-\x9f\u2028\u2029\ufff9-\ufffb]|\p{Default_Ignorable_Code_Point}/gu;

/** JSON text with control, bidirectional and invisible characters as `\uXXXX`: the same value, safe to display. */
export function escapeInvisible(json: string): string {
  return json.replace(UNESCAPED, (character) =>
    character
      .split('')
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
      .join(''),
  );
}

function flagLetter(flag: string): string {
  return String.fromCodePoint((flag.codePointAt(0) ?? 0) - 0x1f1e6 + 0x41);
}

const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** User-perceived characters. */
export function graphemes(text: string): string[] {
  if (HARMLESS.test(text)) return text.split('');
  return Array.from(segmenter.segment(text), (part) => part.segment);
}

/** Widths of texts measured before. The same texts are on the screen in frame after frame. */
const measured = new Map<string, number>();
const MAX_MEASURED = 2_000;
const MAX_LENGTH = 300;

/** Terminal columns of a sanitized text. */
export function width(text: string): number {
  if (HARMLESS.test(text)) return text.length;
  const known = measured.get(text);
  if (known !== undefined) return known;
  const columns = stringWidth(text);
  if (measured.size >= MAX_MEASURED) measured.clear();
  if (text.length <= MAX_LENGTH) measured.set(text, columns);
  return columns;
}

/** Replaces each non-ASCII character by as many `?` as it is wide. */
export function toAscii(text: string): string {
  if (HARMLESS.test(text)) return text;
  return graphemes(text)
    .map((part) => (HARMLESS.test(part) ? part : '?'.repeat(width(part))))
    .join('');
}
