import { type RowsView, rowLine, rowsView } from '../browse.ts';
import type { BrowseState } from '../file-types.ts';
import { spinnerAt } from '../glyphs.ts';
import { highlight } from '../search.ts';
import { wrap } from '../text.ts';
import type { Line, Snapshot, Span } from '../types.ts';
import { formatExact } from '../units.ts';

const WIDE = 110;
const TIME = 'YYYY-MM-DD HH:MM:SS.mmm'.length;
const MARGIN = '  ';

/** A time of a row to the millisecond; without its year where columns are few. */
function rowTime(ts: string | null, columns: number): string {
  if (ts === null) return '-';
  const [seconds = '', fraction = ''] = ts.replace('T', ' ').replace('Z', '').split('.');
  const full = `${seconds}.${fraction.padEnd(3, '0').slice(0, 3)}`;
  return columns < WIDE ? full.slice(5) : full;
}

function timeWidth(columns: number): number {
  return columns < WIDE ? TIME - 5 : TIME;
}

/** Above the rows: what the columns are, and what is not known of the file. */
export function rowsHead({ columns, browse }: Snapshot): Line {
  if (!browse?.report) return [];
  const open = browse.complete
    ? ''
    : '  (no sealed ends: the number of rows is known at the end, G reads on to it)';
  return [
    { text: `${MARGIN}${'Time (UTC)'.padEnd(timeWidth(columns))}  Log line`, tone: 'dim' },
    { text: open, tone: 'warn' },
  ];
}

function messageLines(text: string, columns: number, tone: Span['tone'], bold = false): Line[] {
  return wrap(text, columns - 4).map((line) => [{ text: `${MARGIN}${line}`, tone, bold }]);
}

function instead({ opening, error, rows, complete }: BrowseState, snapshot: Snapshot): Line[] | undefined {
  const { columns, glyphs, now } = snapshot;
  if (opening)
    return [
      [],
      ...messageLines(`${spinnerAt(glyphs, now)} Opening the archive${glyphs.more}`, columns, 'dim'),
    ];
  if (error) {
    return [
      [],
      ...messageLines(error.message, columns, 'bad', true),
      ...(error.hint ? messageLines(error.hint, columns, 'plain') : []),
      [],
      ...messageLines('r tries again, Esc goes back.', columns, 'dim'),
    ];
  }
  return complete && rows === 0
    ? [[], ...messageLines('The archive holds no rows.', columns, 'dim')]
    : undefined;
}

function lineAt(browse: BrowseState, index: number, chosen: boolean, { columns, glyphs }: Snapshot): Line {
  const row = rowLine(browse, index);
  const gutter: Span = { text: chosen ? `${glyphs.cursor} ` : MARGIN, tone: 'warn' };
  if (!row) return [gutter, { text: `row ${formatExact(index + 1)} ${glyphs.more}`, tone: 'dim' }];
  if ('message' in row)
    return [gutter, { text: `row ${formatExact(index + 1)}: ${row.message}`, tone: 'bad' }];
  return [
    gutter,
    { text: rowTime(row.ts, columns).padEnd(timeWidth(columns)), tone: 'info' },
    { text: MARGIN },
    ...highlight(row.line, browse.search),
  ];
}

/** The rows on the screen, and which of the lines is under the cursor. */
export function rowLines(snapshot: Snapshot): { lines: readonly Line[]; chosen?: number } {
  const { browse } = snapshot;
  const view = rowsView(snapshot);
  if (!browse || !view) return { lines: [] };
  const other = instead(browse, snapshot);
  if (other) return { lines: other };
  const { top, height, index } = view;
  // Before anything is known of an open end, its first rows are on their way.
  const count = Math.max(view.count, browse.complete ? 0 : 1);
  const shown = Math.max(0, Math.min(height, count - top));
  const lines = Array.from({ length: shown }, (_, line) =>
    lineAt(browse, top + line, top + line === index, snapshot),
  );
  return { lines, chosen: index - top };
}

/** To a tenth: of a million rows, one in a hundred is far. */
function part(index: number, count: number): string {
  return `${(Math.floor((count < 2 ? 1 : index / (count - 1)) * 1_000) / 10).toFixed(1)}%`;
}

function position({ index, count }: RowsView, { complete }: BrowseState): string {
  const row = `row ${formatExact(index + 1)}`;
  if (!complete) return `${row} of ${formatExact(count)} seen, total unknown`;
  return `${row} of ${formatExact(count)}  ${part(index, count)}`;
}

/** Where the cursor is in the archive: time, row, part. */
export function rowPosition(snapshot: Snapshot): Span[] {
  const { browse } = snapshot;
  const view = rowsView(snapshot);
  if (!browse || !view || view.count === 0) return [];
  const row = rowLine(browse, view.index);
  const time = row && 'ts' in row && row.ts !== null ? row.ts.slice(0, 19).replace('T', ' ') : '';
  const { search } = browse;
  return [
    { text: search ? `  ${search.typed}  ` : '', tone: 'info' },
    { text: time === '' ? '' : `${time}  `, tone: 'dim' },
    { text: position(view, browse) },
  ];
}
