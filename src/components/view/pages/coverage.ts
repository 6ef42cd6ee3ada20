import type { Coverage, CoveragePeriod } from '../../../core/index.ts';
import { formatStamp } from '../../../core/text/time.ts';
import { formatExact, plural } from '../../../core/text/units.ts';
import { formatBytes } from '../../text/display.ts';
import { bodyHeight } from '../../text/layout.ts';
import type { Line, Span, Tone } from '../../text/line.ts';
import type { Symbols } from '../../text/symbols.ts';
import { archiveName } from '../archive-name.ts';
import { cursorIndex } from '../lists/list.ts';
import { currentScreen, listKey, listStateAt, NEW_LIST } from '../snapshot.ts';
import type { Loaded, Snapshot } from '../types.ts';
import { flowed, heading } from './fields.ts';

type State = CoveragePeriod['state'];

const STATES: Record<State, { symbol: (symbols: Symbols) => string; tone: Tone; label: string }> = {
  both: { symbol: ({ full }) => full, tone: 'good', label: 'archived' },
  archive: { symbol: ({ selected }) => selected, tone: 'info', label: 'archives only' },
  partial: { symbol: ({ warn }) => warn, tone: 'warn', label: 'partly archived' },
  clickhouse: { symbol: ({ bad }) => bad, tone: 'bad', label: 'not archived' },
  none: { symbol: ({ dot }) => dot, tone: 'dim', label: 'no rows' },
};

/** The symbol of a state. */
export function stateSpan(state: State, symbols: Symbols): Span {
  const { symbol, tone } = STATES[state];
  return { text: symbol(symbols), tone };
}

/** Coverage of a fractal: a summary, a calendar, and details of the period under the cursor. */
export function coverageLines(snapshot: Snapshot): readonly Line[] {
  const loaded = coverageAt(snapshot);
  const coverage = loaded?.value;
  if (!coverage) {
    const { error } = loaded ?? {};
    if (!error) return [[{ text: '  Counting…', tone: 'dim' }]];
    return [
      [{ text: `  ${error.message}`, tone: 'bad' }],
      [{ text: error.hint ? `  ${error.hint}` : '', tone: 'dim' }],
    ];
  }
  if (coverage.periods.length === 0) {
    return [[{ text: '  No rows in ClickHouse or in any archive.', tone: 'dim' }]];
  }
  const { rows, height } = visibleCalendar(snapshot);
  const cursor = coverageCursor(snapshot);
  const grid = rows.map((row) => calendarLine(row, coverage, cursor, snapshot));
  const filling = Array.from({ length: Math.max(0, height - grid.length) }, (): Line => []);
  return [...headLines(coverage, snapshot), ...grid, ...filling, ...periodLines(coverage, cursor, snapshot)];
}

/** The lines above the calendar. */
function headLines(coverage: Coverage, snapshot: Snapshot): Line[] {
  const { columns } = snapshot;
  return [
    ...summaryLines(coverage, coverageAt(snapshot), columns),
    ...serverArchiveLine(coverage),
    ...legendLines(snapshot),
    calendarNumbers(coverage.unit, snapshot),
  ];
}

/** What is archived, in one sentence. */
export function summaryLines(
  { protected_until, unprotected_rows }: Coverage,
  { error, loading, at }: Partial<Loaded<Coverage>> = {},
  columns: number,
): Line[] {
  const unprotected = unprotected_rows ?? 0;
  const until =
    protected_until === null
      ? 'The oldest rows are not archived,'
      : `Archived until ${formatStamp(protected_until)},`;
  const status = error ? `  stale: ${error.message}` : loading && at !== undefined ? '  counting…' : '';
  const parts: Line[] = [
    [{ text: `  ${until}`, tone: protected_until === null ? 'warn' : 'plain' }],
    [
      unprotected > 0
        ? { text: ` ${plural(unprotected, 'row')} not archived`, tone: 'warn' }
        : { text: ' all rows archived', tone: 'good' },
    ],
    [{ text: status, tone: error ? 'warn' : 'dim' }],
  ];
  return flowed(parts, columns).map((line, index) => (index === 0 ? line : [{ text: ' ' }, ...line]));
}

function serverArchiveLine({ server_archive }: Coverage): Line[] {
  if (!server_archive) return [];
  const { stale, detail } = server_archive;
  return [[{ text: `  Iceberg: ${detail}`, tone: stale ? 'warn' : 'dim' }]];
}

/** What the symbols of the calendar mean. */
export function legendLines({ symbols, columns }: Snapshot): Line[] {
  const parts = Object.values(STATES).map(
    ({ symbol, tone, label }): Line => [
      { text: `  ${symbol(symbols)}`, tone },
      { text: ` ${label}`, tone: 'dim' },
    ],
  );
  return flowed(parts, columns);
}

/** Columns of one period: 2, or 1 on a narrow terminal, where the cursor replaces the symbol. */
function cellWidth(unit: Coverage['unit'], { columns }: Snapshot): number {
  const shape = shapeOf(unit);
  return columns >= shape.label + 3 + 2 * shape.columns ? 2 : 1;
}

/** The numbers above the columns of the calendar. */
export function calendarNumbers(unit: Coverage['unit'], snapshot: Snapshot): Line {
  const { label, columns } = shapeOf(unit);
  const width = cellWidth(unit, snapshot);
  const step = unit === 'day' ? 5 : 6;
  let text = ' '.repeat(label + 3);
  for (let column = 0; column < columns; column++) {
    const number = unit === 'day' ? column + 1 : column;
    if (number % step !== 0 && !(unit === 'day' && number === 1)) continue;
    const end = label + (width === 2 ? 2 : 3) + (column + 1) * width;
    text = text.padEnd(end - String(number).length) + number;
  }
  return [{ text, tone: 'dim' }];
}

/** A line of the calendar; `cursor` is the index of the period under the cursor. */
export function calendarLine(
  { label, cells }: CalendarRow,
  { unit, periods }: Coverage,
  cursor: number | undefined,
  snapshot: Snapshot,
): Line {
  const { symbols } = snapshot;
  const wide = cellWidth(unit, snapshot) === 2;
  const current = cursor !== undefined && cells.includes(cursor);
  const spans = cells.flatMap((index): Span[] => {
    const period = index === undefined ? undefined : periods[index];
    if (!period) return [{ text: wide ? '  ' : ' ' }];
    const { symbol, tone } = STATES[period.state];
    const span: Span = { text: symbol(symbols), tone };
    if (index !== cursor) return [...(wide ? [{ text: ' ' }] : []), span];
    return [{ text: symbols.cursor, tone: 'accent', bold: true }, ...(wide ? [span] : [])];
  });
  return [
    { text: `  ${label}${wide ? '' : ' '}`, tone: current ? 'accent' : 'dim', bold: current },
    ...spans,
  ];
}

function periodLines({ unit, periods }: Coverage, cursor: number, snapshot: Snapshot): Line[] {
  const period = periods[cursor];
  if (!period) return [];
  const { columns, symbols } = snapshot;
  const { from, to, state, rows, unprotected_rows } = period;
  const { symbol, tone, label } = STATES[state];
  const name = unit === 'day' ? from.slice(0, 10) : `${formatStamp(from)} to ${to.slice(11, 16)}`;
  const inClickHouse =
    rows > 0 && unprotected_rows === rows
      ? `${plural(rows, 'row')}, none archived`
      : `${plural(rows, 'row')} in ClickHouse${unprotected_rows > 0 ? `, ${formatExact(unprotected_rows)} not archived` : ''}`;
  return [
    heading(`${name} UTC`, columns, symbols),
    [{ text: `  ${symbol(symbols)} ${label}`, tone }, { text: `   ${inClickHouse}` }],
    ...archiveLines(snapshot),
  ];
}

function archiveLines(snapshot: Snapshot): Line[] {
  const { ids, index } = archivesUnderCursor(snapshot);
  if (ids.length === 0) return [[{ text: '  Not in any archive', tone: 'dim' }]];
  const record = snapshot.data.archives.value?.find(({ id }) => id === ids[index]);
  const count = ids.length === 1 ? 'In 1 archive' : `Archive ${index + 1} of ${ids.length}, Tab for the next`;
  if (!record) return [[{ text: `  ${count}: ${ids[index]}`, tone: 'dim' }]];
  const { created_at, log_count, size_bytes } = record;
  const facts = `${plural(log_count, 'row')}, ${formatBytes(size_bytes)}, created ${formatStamp(created_at)}`;
  return [[{ text: `  ${count}: ${archiveName(record)}` }], [{ text: `  ${facts}`, tone: 'dim' }]];
}

/** Lines below it: a heading, the period under the cursor, its archive. */
const FOOTER_LINES = 4;

export type Unit = Coverage['unit'];

/** Parses the subject of a coverage screen: `fractal_id/unit`. */
export function coverageSubject(subject = ''): { fractal_id: string; unit: Unit } {
  const [fractal_id = '', unit] = subject.split('/');
  return { fractal_id, unit: unit === 'hour' ? 'hour' : 'day' };
}

/** The coverage shown on the current screen. */
export function coverageAt(snapshot: Snapshot): Loaded<Coverage> | undefined {
  return snapshot.coverage.get(currentScreen(snapshot).subject ?? '');
}

/** Index of the period under the cursor; initially the last one. */
export function coverageCursor(snapshot: Snapshot): number {
  const periods = coverageAt(snapshot)?.value?.periods ?? [];
  const list = listStateAt(snapshot, currentScreen(snapshot));
  if (list.cursor === undefined) return periods.length - 1;
  return cursorIndex(
    periods.map(({ from }) => from),
    list,
  );
}

/** A line of the calendar: the days of a month, or the hours of a day. */
export interface CalendarRow {
  label: string;
  /** Index of the period in each column; undefined if there is none. */
  cells: (number | undefined)[];
}

const SHAPES: Record<Unit, { label: number; column: (from: string) => number; columns: number }> = {
  day: { label: 'yyyy-mm'.length, column: (from) => Number(from.slice(8, 10)) - 1, columns: 31 },
  hour: { label: 'yyyy-mm-dd'.length, column: (from) => Number(from.slice(11, 13)), columns: 24 },
};

/** The number of columns of the calendar, and the width of its labels. */
export function shapeOf(unit: Unit): { label: number; columns: number } {
  return SHAPES[unit];
}
let cached: { periods: readonly CoveragePeriod[]; rows: CalendarRow[]; rowOf: number[] } | undefined;

/** The lines of a calendar, and the line number of each period. Caches its last result. */
export function calendarOf({ unit, periods }: Coverage): { rows: CalendarRow[]; rowOf: number[] } {
  if (cached?.periods === periods) return cached;
  const { label: width, column, columns } = SHAPES[unit];
  const rows: CalendarRow[] = [];
  const rowOf = periods.map(({ from }, index) => {
    const label = from.slice(0, width);
    if (rows.at(-1)?.label !== label) rows.push({ label, cells: Array(columns).fill(undefined) });
    const row = rows.at(-1);
    if (row) row.cells[column(from)] = index;
    return rows.length - 1;
  });
  cached = { periods, rows, rowOf };
  return cached;
}

/** The visible lines of the calendar, around the cursor. */
export function visibleCalendar(snapshot: Snapshot): { top: number; height: number; rows: CalendarRow[] } {
  const coverage = coverageAt(snapshot)?.value;
  const head = coverage ? headLines(coverage, snapshot).length : 0;
  const height = Math.max(1, bodyHeight(snapshot) - head - FOOTER_LINES);
  if (!coverage) return { top: 0, height, rows: [] };
  const { rows, rowOf } = calendarOf(coverage);
  const at = rowOf[coverageCursor(snapshot)] ?? 0;
  const top = Math.max(0, Math.min(at - Math.floor(height / 2), rows.length - height));
  return { top, height, rows: rows.slice(top, top + height) };
}

/** Index of the period `by` lines further, in the same column or the nearest one that has a period. */
export function stepRows(snapshot: Snapshot, index: number, by: number): number {
  const coverage = coverageAt(snapshot)?.value;
  if (!coverage) return index;
  const { rows, rowOf } = calendarOf(coverage);
  const from = rowOf[index] ?? 0;
  const row = rows[Math.max(0, Math.min(from + by, rows.length - 1))];
  const column = rows[from]?.cells.indexOf(index) ?? 0;
  const filled = (row?.cells ?? []).flatMap((cell, at) => (cell === undefined ? [] : [{ cell, at }]));
  const [nearest] = filled.toSorted((a, b) => Math.abs(a.at - column) - Math.abs(b.at - column));
  return nearest?.cell ?? index;
}

/** The key of the list state that stores the selected archive of a period. */
export function selectedArchiveKey(snapshot: Snapshot): string {
  return `${listKey(currentScreen(snapshot))}/archive`;
}

/** Archives of the period under the cursor, newest first, and the index of the selected one. */
export function archivesUnderCursor(snapshot: Snapshot): { ids: readonly string[]; index: number } {
  const covering = coverageAt(snapshot)?.value?.periods[coverageCursor(snapshot)]?.archive_ids ?? [];
  const createdAt = new Map(
    (snapshot.data.archives.value ?? []).map(({ id, created_at }) => [id, created_at]),
  );
  const ids = covering.toSorted((a, b) => ((createdAt.get(a) ?? '') < (createdAt.get(b) ?? '') ? 1 : -1));
  const { index } = snapshot.ui.lists[selectedArchiveKey(snapshot)] ?? NEW_LIST;
  return { ids, index: Math.min(index, Math.max(0, ids.length - 1)) };
}
