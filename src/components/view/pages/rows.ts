import { width } from '../../../core/text/sanitize.ts';
import { formatExact } from '../../../core/text/units.ts';
import type { CursorLines, Line, Span } from '../../text/line.ts';
import { type Symbols, spinnerAt } from '../../text/symbols.ts';
import { wrap } from '../../text/text.ts';
import {
  lineColumns,
  ROW_MARGIN as MARGIN,
  matchAt,
  type RowAt,
  type RowsView,
  rowAt,
  rowLine,
  rowsView,
  timeColumns,
  wrappedRow,
} from '../browse.ts';
import { highlight, type Match, matchesIn } from '../search.ts';
import type { BrowseState, MatchCount, RowLine, Search, Snapshot } from '../types.ts';

/** From here on there is room for the year of a row, and for its time next to a search. */
const WIDE = 110;

/** The time of a row in milliseconds; without the year on a narrow terminal. */
function rowTime(ts: string | null, columns: number): string {
  if (ts === null) return '-';
  const [seconds = '', fraction = ''] = ts.replace('T', ' ').replace('Z', '').split('.');
  const full = `${seconds}.${fraction.padEnd(3, '0').slice(0, 3)}`;
  return columns < WIDE ? full.slice(5) : full;
}

/** Where the original lines of the archive were not kept. */
const LINES_NOTE = {
  logs: '',
  logs_raw: '  (older rows: fields; original line not kept)',
  none: '  (fields; original lines not kept)',
};

/** Column titles, and a note if the original lines are missing or the total number of rows is unknown. */
export function rowsHead(snapshot: Snapshot): Line {
  const { browse } = snapshot;
  if (!browse?.report) return [];
  const { raw_from } = browse.report;
  const lines = raw_from === null ? '' : LINES_NOTE[raw_from];
  const note = browse.complete ? lines : '  (total unknown; press G to read to the end)';
  return [
    { text: `${MARGIN}${'Time (UTC)'.padEnd(timeColumns(snapshot))}${MARGIN}Log line`, tone: 'dim' },
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

/** The matches in rows are looked for once. */
const known = new WeakMap<RowLine, { search: Search; matches: readonly Match[] }>();

function lookFor(rows: readonly RowLine[], search: Search): void {
  const unknown = rows.filter((row) => known.get(row)?.search !== search);
  if (unknown.length === 0) return;
  const found = matchesIn(
    unknown.map(({ line }) => line),
    search,
  );
  for (const [index, row] of unknown.entries()) known.set(row, { search, matches: found[index] ?? [] });
}

/** Where the match of a shifted line starts: a part of the line before it. */
const BEFORE_MATCH = 1 / 3;

/** The matches within a part of a line, from its start on. */
function matchesWithin(matches: readonly Match[], from: number, to: number): readonly Match[] {
  return matches
    .filter(([start, end]) => end > from && start < to)
    .map(([start, end]): Match => [Math.max(0, start - from), Math.min(to, end) - from]);
}

/**
 * The text of a row in `room` columns, scrolled to the right by `left`. Under the cursor, the line is shifted if its first
 * match would not be visible.
 */
function textOf(row: RowLine, at: { room: number; left: number; current: boolean }, symbols: Symbols): Line {
  const { room, left, current } = at;
  const matches = known.get(row)?.matches ?? [];
  const [first] = matches;
  const visible = !first || !current || (first[0] >= left && width(row.line.slice(left, first[1])) < room);
  const from = visible ? left : Math.max(0, first[0] - Math.floor(room * BEFORE_MATCH));
  const more: Span = {
    text: (from > 0 && row.line !== '') || row.cut ? symbols.ellipsis : '',
    tone: 'dim',
  };
  return [more, ...highlight(row.line.slice(from), matchesWithin(matches, from, row.line.length))];
}

/** The pieces of a wrapped line. */
function pieceLines(row: RowLine, snapshot: Snapshot): Line[] {
  const matches = known.get(row)?.matches ?? [];
  let from = 0;
  return wrappedRow(row, snapshot).map((piece) => {
    const within = matchesWithin(matches, from, from + piece.length);
    from += piece.length;
    return highlight(piece, within);
  });
}

/** The lines of a row: one, unless it is wrapped. */
function linesOf(row: RowAt, index: number, current: boolean, snapshot: Snapshot): Line[] {
  const { symbols, settings } = snapshot;
  const gutter: Span = { text: current ? `${symbols.cursor} ` : MARGIN, tone: 'warn' };
  if (!row) return [[gutter, { text: `row ${formatExact(index + 1)} ${symbols.ellipsis}`, tone: 'dim' }]];
  if ('message' in row)
    return [[gutter, { text: `row ${formatExact(index + 1)}: ${row.message}`, tone: 'bad' }]];
  const time = timeColumns(snapshot);
  const left = rowsView(snapshot)?.left ?? 0;
  const room = lineColumns(snapshot);
  const texts = settings.wrap ? pieceLines(row, snapshot) : [textOf(row, { room, left, current }, symbols)];
  const start = rowTime(row.ts, snapshot.columns).padEnd(time);
  return texts.map((text, line) => [
    gutter,
    { text: line === 0 ? start : ' '.repeat(time), tone: 'info' },
    { text: MARGIN },
    ...text,
  ]);
}

/** The visible rows, and the lines of the one under the cursor. */
export function rowLines(snapshot: Snapshot): { lines: readonly Line[]; cursor?: CursorLines } {
  const { browse } = snapshot;
  const view = rowsView(snapshot);
  if (!browse || !view) return { lines: [] };
  const empty = placeholder(browse, snapshot);
  if (empty) return { lines: empty };
  const { top, height, index } = view;
  // While the total is unknown and no row has been read, the first row is loading.
  const count = Math.max(view.count, browse.complete ? 0 : 1);
  const shown = Math.max(0, Math.min(snapshot.settings.wrap ? height + 1 : height, count - top));
  const rows = Array.from({ length: shown }, (_, line) => rowAt(browse, top + line));
  if (browse.search)
    lookFor(
      rows.filter((row) => row !== undefined && 'line' in row),
      browse.search,
    );
  const lines = rows.map((row, line) => linesOf(row, top + line, top + line === index, snapshot));
  const from = lines.slice(0, index - top).flat().length;
  return { lines: lines.flat(), cursor: { from, to: from + (lines[index - top]?.length ?? 1) } };
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

/** Which match the cursor is on, out of how many; `+` if not all rows have been searched. */
function matchPosition({ rows, total, searched, ended }: MatchCount, index: number): string {
  const all = `${formatExact(total)}${ended === 'complete' ? '' : '+'}`;
  const place = index < searched ? matchAt(rows, total, index) : undefined;
  if (place !== undefined && rows[place] === index) return `match ${formatExact(place + 1)} of ${all}`;
  return total === 1 && ended === 'complete' ? '1 match' : `${all} matches`;
}

/** Position of the cursor in the archive: search, time, row, percent. */
export function rowPosition(snapshot: Snapshot): Span[] {
  const { browse } = snapshot;
  const view = rowsView(snapshot);
  if (!browse || !view || view.count === 0) return [];
  const row = rowLine(browse, view.index);
  const time = row && 'ts' in row && row.ts !== null ? row.ts.slice(0, 19).replace('T', ' ') : '';
  const { search } = browse;
  // There is no room for both on a narrow terminal, and the time is in the row, too.
  const showsTime = time !== '' && (!search || snapshot.columns >= WIDE);
  return [
    { text: search ? `  ${search.input}  ` : '', tone: 'info' },
    { text: browse.count ? `${matchPosition(browse.count, view.index)}  ` : '', tone: 'info' },
    { text: showsTime ? `${time}  ` : '', tone: 'dim' },
    { text: position(view, browse) },
  ];
}
