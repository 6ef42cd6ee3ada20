import type { Line } from '../text/line.ts';
import { wrap } from '../text/text.ts';
import type { DialogOption, DialogState } from './types.ts';

/** Confirms every question, whatever other key its answer has. */
export const CONFIRM = 'ctrl-y';

const NARROW = 58;
const WIDE = 110;

/** Columns and lines taken by the frame and its margins. */
const MARGINS = 8;
const FRAME_LINES = 2;

/** Width of a dialog's text. A list of items gets as much as there is. */
export function dialogWidth({ items }: Pick<DialogState, 'items'>, columns: number): number {
  return Math.min(items ? WIDE : NARROW, columns - MARGINS);
}

/** Whether an option can be chosen: an unsafe one may require a typed confirmation. */
export function canChoose({ safe }: DialogOption, { confirmation, typed }: DialogState): boolean {
  return safe || confirmation === undefined || typed === confirmation;
}

/** A dialog laid out for its area. */
export interface DialogLayout {
  /** Whether empty lines separate the parts. */
  spaced: boolean;
  /** Always visible. */
  text: readonly Line[];
  /** Scrolled, `room` lines at a time. */
  items: readonly Line[];
  visibleItems: number;
}

/** One line is reserved for the scroll position if not all items fit. */
function roomOf(items: readonly Line[], lines: number): number {
  return items.length <= lines ? items.length : Math.max(1, lines - 1);
}

/**
 * Lays out a dialog. Its options and its confirmation prompt are always visible: on a small screen the empty lines go
 * first, then the text scrolls together with the items.
 */
export function layOutDialog(area: { columns: number; height: number }, dialog: DialogState): DialogLayout {
  const { items = [], lines, options, confirmation } = dialog;
  const { height } = area;
  const text = lines
    .flatMap((line) => wrap(line, dialogWidth(dialog, area.columns)))
    .map((line): Line => [{ text: line }]);
  const prompt = confirmation === undefined ? 0 : 1;
  const fixed = FRAME_LINES + options.length + prompt;
  const minimum = Math.min(items.length, 2);
  const gaps = 2 + prompt + [text, items].filter(({ length }) => length > 0).length;
  const free = height - fixed - text.length;
  if (free - gaps >= minimum) return { spaced: true, text, items, visibleItems: roomOf(items, free - gaps) };
  if (free >= minimum) return { spaced: false, text, items, visibleItems: roomOf(items, free) };
  const all = [...text, ...items];
  return { spaced: false, text: [], items: all, visibleItems: roomOf(all, height - fixed) };
}
