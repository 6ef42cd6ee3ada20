import { BLANK, type Cell, cellsOf } from './cells.ts';

/** What Ink writes before a frame to erase the one before it. */
const ERASE = /^(?:(?:\x1b\[2K(?:\x1b\[1A)?)+\x1b\[G|\x1b\[1;1H\x1b\[J)/;
/** Lines of text with styles. */
const FRAME = /^(?:\x1b\[[\d;]*m|[^\x00-\x09\x0b-\x1f\x7f])+$/;
/** Of the terminal, so that it draws a frame at once. Ink writes them separately from the frame. */
const SYNC_START = '\x1b[?2026h';
const SYNC_END = '\x1b[?2026l';
const CURSOR = /^\x1b\[\?25[hl]$/;
/** Old terminals do not agree on their width: their line is always written as a whole. */
const EMOJI = /\p{Emoji_Presentation}/u;
/** Fewer unchanged columns between two changes are written again: moving the cursor takes as many bytes. */
const MIN_GAP = 6;

/**
 * The stream that Ink draws on. Ink writes complete frames; of these, only the columns that changed are written, in
 * one piece. Over SSH, that is what makes progress cheap.
 */
export function createScreen(stdout: NodeJS.WriteStream): NodeJS.WriteStream {
  /** The lines on the screen; undefined if they are unknown. */
  let shown: readonly string[] | undefined;
  let size = '';

  function draw(frame: string): string {
    const lines = frame.split('\n').slice(0, stdout.rows);
    const current = `${stdout.columns}x${stdout.rows}`;
    const output = shown && size === current ? changes(shown, lines) : complete(lines);
    shown = lines;
    size = current;
    return output === '' ? '' : SYNC_START + output + SYNC_END;
  }

  function translate(data: string): string {
    if (data === SYNC_START || data === SYNC_END) return '';
    const frame = data.replace(ERASE, '');
    if (FRAME.test(frame)) return draw(frame);
    if (frame === '') return '';
    if (!CURSOR.test(data)) shown = undefined;
    return data;
  }

  function write(data: string | Uint8Array, ...rest: unknown[]): boolean {
    const output = translate(data.toString());
    const callback = rest.find((one) => typeof one === 'function') as
      | ((error?: Error | null) => void)
      | undefined;
    if (output === '' && !callback) return true;
    return stdout.write(output, callback);
  }

  return new Proxy(stdout, {
    get(target, name) {
      if (name === 'write') return write;
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

function complete(lines: readonly string[]): string {
  return `\x1b[H\x1b[J${lines.map((line, row) => moveTo(row, 0) + whole(line)).join('')}`;
}

/** A line that leaves no style behind. */
function whole(line: string): string {
  return line.includes('\x1b') ? `${line}\x1b[m` : line;
}

function moveTo(row: number, column: number): string {
  return `\x1b[${row + 1};${column + 1}H`;
}

function changes(before: readonly string[], after: readonly string[]): string {
  const rows = Math.max(before.length, after.length);
  let output = '';
  for (let row = 0; row < rows; row++) {
    const [from = '', to = ''] = [before[row], after[row]];
    if (from === to) continue;
    if (EMOJI.test(from) || EMOJI.test(to)) output += `${moveTo(row, 0)}\x1b[K${whole(to)}`;
    else output += lineChanges(row, cellsOf(from), cellsOf(to));
  }
  return output;
}

function lineChanges(row: number, from: Cell[], to: Cell[]): string {
  const length = Math.max(from.length, to.length);
  const cell = (cells: Cell[], column: number) => cells[column] ?? BLANK;
  const blankFrom = to.findLastIndex((one) => !isSame(one, BLANK)) + 1;
  let output = '';
  let style = '';
  /** Where the cursor is, if it is on this line. */
  let at: number | undefined;
  function put(column: number): void {
    const { text, style: wanted } = cell(to, column);
    if (style !== wanted) output += wanted === '' ? '\x1b[m' : `\x1b[${style === '' ? '' : '0;'}${wanted}m`;
    style = wanted;
    output += text;
    at = column + 1;
  }
  for (let column = 0; column < length; column++) {
    if (isSame(cell(from, column), cell(to, column))) continue;
    // The second column of a wide character is drawn by its first.
    const start = cell(to, column).text === '' ? column - 1 : column;
    if (at !== undefined && start > at && start - at < MIN_GAP) while (at < start) put(at);
    if (at === undefined) output += moveTo(row, start);
    else if (start > at) output += `\x1b[${start + 1}G`;
    if (start >= blankFrom) {
      output += style === '' ? '\x1b[K' : '\x1b[m\x1b[K';
      return output;
    }
    for (let next = Math.max(start, at ?? start); next <= column; next++) put(next);
  }
  return style === '' ? output : `${output}\x1b[m`;
}

function isSame(one: Cell, other: Cell): boolean {
  return one.text === other.text && one.style === other.style;
}
