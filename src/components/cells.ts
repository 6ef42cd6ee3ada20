import { graphemes, width } from '../core/text/sanitize.ts';

/** A column of a line on the screen. The second column of a wide character has no text. */
export interface Cell {
  text: string;
  /** Parameters of the SGR sequence that sets the style, `` for none. */
  style: string;
}

export const BLANK: Cell = { text: ' ', style: '' };

const PARTS = /\x1b\[([\d;]*)m|[^\x1b]+/g;

/** The cells of a line of text and SGR sequences; each line starts without a style. */
export function cellsOf(line: string): Cell[] {
  const cells: Cell[] = [];
  const active = new Map<string, string>();
  for (const [part, codes] of line.matchAll(PARTS)) {
    if (codes !== undefined) {
      applyCodes(active, codes);
      continue;
    }
    const style = [...active.values()].join(';');
    for (const text of graphemes(part)) {
      const columns = width(text);
      if (columns > 0) cells.push({ text, style });
      if (columns > 1) cells.push({ text: '', style });
    }
  }
  return cells;
}

/** What each code sets; codes that end a style name what they end. */
const ENDS: Readonly<Record<string, readonly string[]>> = {
  22: ['bold', 'dim'],
  23: ['italic'],
  24: ['underline'],
  27: ['inverse'],
  29: ['strike'],
  39: ['color'],
  49: ['background'],
};
const STARTS: Readonly<Record<string, string>> = {
  1: 'bold',
  2: 'dim',
  3: 'italic',
  4: 'underline',
  7: 'inverse',
  9: 'strike',
};

function applyCodes(active: Map<string, string>, codes: string): void {
  const values = codes.split(';');
  while (values.length > 0) {
    const value = values.shift() ?? '';
    const ends = ENDS[value];
    if (value === '' || value === '0') active.clear();
    else if (ends) for (const name of ends) active.delete(name);
    else if (value === '38' || value === '48') {
      const rest = values.splice(0, values[0] === '5' ? 2 : 4);
      active.set(value === '38' ? 'color' : 'background', [value, ...rest].join(';'));
    } else active.set(STARTS[value] ?? (isBackground(Number(value)) ? 'background' : 'color'), value);
  }
}

function isBackground(code: number): boolean {
  return (code >= 40 && code < 48) || code >= 100;
}
