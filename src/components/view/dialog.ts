import { wrap } from './text.ts';
import type { DialogOption, DialogState, Line } from './types.ts';

const NARROW = 58;
const WIDE = 110;
/** Columns and lines that the frame and the space around it take. */
const MARGINS = 8;
const FRAME_LINES = 2;

/** Columns of a question's text. A list of targets gets all the room there is. */
export function dialogWidth({ items }: Pick<DialogState, 'items'>, columns: number): number {
  return Math.min(items ? WIDE : NARROW, columns - MARGINS);
}

/** Whether an option can be taken: one that is not safe may want a word first. */
export function canTake({ safe }: DialogOption, { word, typed }: DialogState): boolean {
  return safe || word === undefined || typed === word;
}

/** A question as it fits into its area. */
export interface DialogLayout {
  /** Whether there is room for empty lines between its parts. */
  airy: boolean;
  /** What is always there. */
  text: readonly Line[];
  /** What is scrolled through, and how many lines of it can be seen at a time. */
  items: readonly Line[];
  room: number;
}

/** A line is needed to say that there is more. */
function roomOf(items: readonly Line[], lines: number): number {
  return items.length <= lines ? items.length : Math.max(1, lines - 1);
}

/**
 * What of a question is to be seen. Its answers and the word that it wants are on every screen: first the empty lines give
 * way, and then its text is scrolled with the items.
 */
export function layOutDialog(area: { columns: number; height: number }, dialog: DialogState): DialogLayout {
  const { items = [], lines, options, word } = dialog;
  const { height } = area;
  const text = lines
    .flatMap((line) => wrap(line, dialogWidth(dialog, area.columns)))
    .map((line): Line => [{ text: line }]);
  const asked = word === undefined ? 0 : 1;
  const fixed = FRAME_LINES + options.length + asked;
  const least = Math.min(items.length, 2);
  const gaps = 2 + asked + [text, items].filter(({ length }) => length > 0).length;
  const spare = height - fixed - text.length;
  if (spare - gaps >= least) return { airy: true, text, items, room: roomOf(items, spare - gaps) };
  if (spare >= least) return { airy: false, text, items, room: roomOf(items, spare) };
  const all = [...text, ...items];
  return { airy: false, text: [], items: all, room: roomOf(all, height - fixed) };
}
