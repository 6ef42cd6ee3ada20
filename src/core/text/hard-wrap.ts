import { graphemes, sanitize, width } from './sanitize.ts';

const PLAIN = /^[\x20-\x7e]*$/;

/** Breaks a text after every `columns` columns and at its own line breaks. Keeps all characters, spaces included. */
export function hardWrap(text: string, columns: number): string[] {
  return text.split(/\r\n|\n|\r/).flatMap((line) => pieces(sanitize(line), columns));
}

function pieces(line: string, columns: number): string[] {
  if (line === '') return [''];
  return PLAIN.test(line) ? plainPieces(line, columns) : widePieces(line, columns);
}

function plainPieces(line: string, columns: number): string[] {
  const count = Math.ceil(line.length / columns);
  return Array.from({ length: count }, (_, index) => line.slice(index * columns, (index + 1) * columns));
}

function widePieces(line: string, columns: number): string[] {
  const lines: string[] = [];
  // Measuring is slow, and long texts consist of few distinct characters.
  const widths = new Map<string, number>();
  let piece = '';
  let used = 0;
  for (const part of graphemes(line)) {
    const size = widths.get(part) ?? width(part);
    widths.set(part, size);
    if (used + size > columns) {
      lines.push(piece);
      piece = '';
      used = 0;
    }
    piece += part;
    used += size;
  }
  return [...lines, piece];
}
