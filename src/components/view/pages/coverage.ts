import type { Coverage, CoveragePeriod } from '../../../core/index.ts';
import { formatStamp } from '../../../core/text/time.ts';
import { formatBytes, formatExact, plural } from '../../../core/text/units.ts';
import type { Line, Snapshot, Span, Symbols, Tone } from '../types.ts';
import {
  archivesUnderCursor,
  type CalendarRow,
  coverageAt,
  coverageCursor,
  shapeOf,
  visibleCalendar,
} from './coverage-view.ts';
import { heading } from './fields.ts';

type State = CoveragePeriod['state'];

const STATES: Record<State, { symbol: (symbols: Symbols) => string; tone: Tone; label: string }> = {
  both: { symbol: ({ full }) => full, tone: 'good', label: 'archived' },
  archive: { symbol: ({ selected }) => selected, tone: 'info', label: 'archives only' },
  partial: { symbol: ({ warn }) => warn, tone: 'warn', label: 'partly archived' },
  clickhouse: { symbol: ({ bad }) => bad, tone: 'bad', label: 'not archived' },
  none: { symbol: ({ dot }) => dot, tone: 'dim', label: 'no rows' },
};

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
  return [
    summaryLine(coverage, snapshot),
    legend(snapshot.symbols),
    numbersLine(coverage.unit, snapshot),
    ...grid,
    ...filling,
    ...periodLines(coverage, cursor, snapshot),
  ];
}

function summaryLine({ protected_until, unprotected_rows }: Coverage, snapshot: Snapshot): Line {
  const { error, loading, at } = coverageAt(snapshot) ?? {};
  const unprotected = unprotected_rows ?? 0;
  const until =
    protected_until === null ? 'First rows not archived' : `Archived until ${formatStamp(protected_until)}`;
  const status = error ? `  stale: ${error.message}` : loading && at !== undefined ? '  counting…' : '';
  return [
    { text: `  ${until}`, tone: protected_until === null ? 'warn' : 'plain' },
    unprotected > 0
      ? { text: `, ${plural(unprotected, 'row')} not archived`, tone: 'warn' }
      : { text: ', all rows archived', tone: 'good' },
    { text: status, tone: error ? 'warn' : 'dim' },
  ];
}

function legend(symbols: Symbols): Line {
  return Object.values(STATES).flatMap(({ symbol, tone, label }): Span[] => [
    { text: `  ${symbol(symbols)}`, tone },
    { text: ` ${label}`, tone: 'dim' },
  ]);
}

/** Columns of one period: 2, or 1 on a narrow terminal, where the cursor replaces the symbol. */
function cellWidth(unit: Coverage['unit'], { columns }: Snapshot): number {
  const shape = shapeOf(unit);
  return columns >= shape.label + 3 + 2 * shape.columns ? 2 : 1;
}

function numbersLine(unit: Coverage['unit'], snapshot: Snapshot): Line {
  const { label, columns } = shapeOf(unit);
  const width = cellWidth(unit, snapshot);
  const step = unit === 'day' ? 5 : 6;
  let text = ' '.repeat(label + 3);
  for (let column = 0; column < columns; column++) {
    const number = unit === 'day' ? column + 1 : column;
    if (number !== 1 && number % step !== 0) continue;
    const end = label + (width === 2 ? 2 : 3) + (column + 1) * width;
    text = text.padEnd(end - String(number).length) + number;
  }
  return [{ text, tone: 'dim' }];
}

function calendarLine(
  { label, cells }: CalendarRow,
  { unit, periods }: Coverage,
  cursor: number,
  snapshot: Snapshot,
): Line {
  const { symbols } = snapshot;
  const wide = cellWidth(unit, snapshot) === 2;
  const current = cells.includes(cursor);
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
  const unprotected = unprotected_rows > 0 ? `, ${formatExact(unprotected_rows)} not archived` : '';
  return [
    heading(`${name} UTC`, columns, symbols),
    [
      { text: `  ${symbol(symbols)} ${label}`, tone },
      { text: `   ${plural(rows, 'row')} in ClickHouse${unprotected}` },
    ],
    ...archiveLines(snapshot),
  ];
}

function archiveLines(snapshot: Snapshot): Line[] {
  const { ids, index } = archivesUnderCursor(snapshot);
  if (ids.length === 0) return [[{ text: '  Not in any archive', tone: 'dim' }]];
  const record = snapshot.data.archives.value?.find(({ id }) => id === ids[index]);
  const count = ids.length === 1 ? 'In 1 archive' : `Archive ${index + 1} of ${ids.length}, Tab for the next`;
  if (!record) return [[{ text: `  ${count}: ${ids[index]}`, tone: 'dim' }]];
  const { created_at, log_count, size_bytes, filename } = record;
  return [
    [
      { text: `  ${count}: ` },
      { text: `created ${formatStamp(created_at)}, ${plural(log_count, 'row')}, ${formatBytes(size_bytes)}` },
    ],
    [{ text: `  ${filename}`, tone: 'dim' }],
  ];
}
