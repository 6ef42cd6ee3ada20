import { formatExact } from '../../../core/text/units.ts';
import type { Line, Span } from '../../text/line.ts';
import { spinnerAt } from '../../text/symbols.ts';
import { wrap } from '../../text/text.ts';
import { type RowsView, rowLine, rowsView } from '../browse.ts';
import { highlight } from '../search.ts';
import type { BrowseState, Snapshot } from '../types.ts';

const WIDE = 110;
const TIME = 'YYYY-MM-DD HH:MM:SS.mmm'.length;
const MARGIN = '  ';

/** The time of a row in milliseconds; without the year on a narrow terminal. */
function rowTime(ts: string | null, columns: number): string {
  if (ts === null) return '-';
  const [seconds = '', fraction = ''] = ts.replace('T', ' ').replace('Z', '').split('.');
  const full = `${seconds}.${fraction.padEnd(3, '0').slice(0, 3)}`;
  return columns < WIDE ? full.slice(5) : full;
}

function timeWidth(columns: number): number {
  return columns < WIDE ? TIME - 5 : TIME;
}

/** Where the original lines of the archive were not kept. */
const LINES_NOTE = {
  logs: '',
  logs_raw: '  (older rows: fields; original line not kept)',
  none: '  (fields; original lines not kept)',
};

/** Column titles, and a note if the original lines are missing or the total number of rows is unknown. */
export function rowsHead({ columns, browse }: Snapshot): Line {
  if (!browse?.report) return [];
  const { raw_from } = browse.report;
  const lines = raw_from === null ? '' : LINES_NOTE[raw_from];
  const note = browse.complete ? lines : '  (total unknown; press G to read to the end)';
  return [
    { text: `${MARGIN}${'Time (UTC)'.padEnd(timeWidth(columns))}  Log line`, tone: 'dim' },
    { text: note, tone: 'warn' },
  ];
}

function messageLines(text: string, columns: number, tone: Span['tone'], bold = false): Line[] {
  return wrap(text, columns - 4).map((line) => [{ text: `${MARGIN}${line}`, tone, bold }]);
}

function placeholder(
  { opening, error, rows, complete }: BrowseState,
  snapshot: Snapshot,
): Line[] | undefined {
  const { columns, symbols, now } = snapshot;
  if (opening)
    return [
      [],
      ...messageLines(`${spinnerAt(symbols, now)} Opening the archive${symbols.ellipsis}`, columns, 'dim'),
    ];
  if (error) {
    return [
      [],
      ...messageLines(error.message, columns, 'bad', true),
      ...(error.hint ? messageLines(error.hint, columns, 'plain') : []),
      [],
      ...messageLines('Press r to try again, or Esc to go back.', columns, 'dim'),
    ];
  }
  return complete && rows === 0
    ? [[], ...messageLines('The archive contains no rows.', columns, 'dim')]
    : undefined;
}

function lineAt(
  browse: BrowseState,
  index: number,
  highlighted: boolean,
  { columns, symbols }: Snapshot,
): Line {
  const row = rowLine(browse, index);
  const gutter: Span = { text: highlighted ? `${symbols.cursor} ` : MARGIN, tone: 'warn' };
  if (!row) return [gutter, { text: `row ${formatExact(index + 1)} ${symbols.ellipsis}`, tone: 'dim' }];
  if ('message' in row)
    return [gutter, { text: `row ${formatExact(index + 1)}: ${row.message}`, tone: 'bad' }];
  return [
    gutter,
    { text: rowTime(row.ts, columns).padEnd(timeWidth(columns)), tone: 'info' },
    { text: MARGIN },
    ...highlight(row.line, browse.search),
  ];
}

/** The visible rows, and the index of the line under the cursor. */
export function rowLines(snapshot: Snapshot): { lines: readonly Line[]; cursor?: number } {
  const { browse } = snapshot;
  const view = rowsView(snapshot);
  if (!browse || !view) return { lines: [] };
  const empty = placeholder(browse, snapshot);
  if (empty) return { lines: empty };
  const { top, height, index } = view;
  // While the total is unknown and no row has been read, the first row is loading.
  const count = Math.max(view.count, browse.complete ? 0 : 1);
  const shown = Math.max(0, Math.min(height, count - top));
  const lines = Array.from({ length: shown }, (_, line) =>
    lineAt(browse, top + line, top + line === index, snapshot),
  );
  return { lines, cursor: index - top };
}

/** Position in percent, with one decimal: 1% of a million rows is a long way. */
function percent(index: number, count: number): string {
  return `${(Math.floor((count < 2 ? 1 : index / (count - 1)) * 1_000) / 10).toFixed(1)}%`;
}

function position({ index, count }: RowsView, { complete }: BrowseState): string {
  const row = `row ${formatExact(index + 1)}`;
  if (!complete) return `${row} of ${formatExact(count)} seen, total unknown`;
  return `${row} of ${formatExact(count)}  ${percent(index, count)}`;
}

/** Position of the cursor in the archive: search, time, row, percent. */
export function rowPosition(snapshot: Snapshot): Span[] {
  const { browse } = snapshot;
  const view = rowsView(snapshot);
  if (!browse || !view || view.count === 0) return [];
  const row = rowLine(browse, view.index);
  const time = row && 'ts' in row && row.ts !== null ? row.ts.slice(0, 19).replace('T', ' ') : '';
  const { search } = browse;
  return [
    { text: search ? `  ${search.input}  ` : '', tone: 'info' },
    { text: time === '' ? '' : `${time}  `, tone: 'dim' },
    { text: position(view, browse) },
  ];
}
