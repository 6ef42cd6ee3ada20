import { wrap } from './text.ts';
import type { DialogOption, DialogState } from './types.ts';

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

/** Items of a question that can be seen at a time. */
export function dialogRoom(area: { columns: number; height: number }, dialog: DialogState): number {
  const { items = [], lines, options, word } = dialog;
  const inner = dialogWidth(dialog, area.columns);
  const text = lines.flatMap((line) => wrap(line, inner)).length;
  const rest = FRAME_LINES + text + options.length + 3 + (text > 0 ? 1 : 0) + (word === undefined ? 0 : 2);
  const room = Math.max(1, area.height - rest);
  // A line is needed to say that there is more.
  return items.length <= room ? items.length : Math.max(1, room - 1);
}
