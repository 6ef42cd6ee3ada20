import type { Coverage, CoveragePeriod } from '../../../core/index.ts';
import { formatStamp } from '../time.ts';
import type { Glyphs, Line, Snapshot, Span, Tone } from '../types.ts';
import { formatBytes, formatExact, plural } from '../units.ts';
import {
  archivesUnderCursor,
  type CalendarRow,
  coverageAt,
  coverageCursor,
  gridOf,
  shapeOf,
} from './coverage-view.ts';
import { heading } from './fields.ts';

type State = CoveragePeriod['state'];

const LOOKS: Record<State, { sign: (glyphs: Glyphs) => string; tone: Tone; words: string }> = {
  both: { sign: ({ full }) => full, tone: 'good', words: 'archived' },
  archive: { sign: ({ mark }) => mark, tone: 'info', words: 'archives only' },
  partial: { sign: ({ warn }) => warn, tone: 'warn', words: 'partly archived' },
  clickhouse: { sign: ({ bad }) => bad, tone: 'bad', words: 'not archived' },
  none: { sign: ({ dot }) => dot, tone: 'dim', words: 'no rows' },
};

/** The timeline of a fractal: what it comes to, a calendar, and what is known of the period under the cursor. */
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
    return [[{ text: '  No rows, in ClickHouse or in an archive.', tone: 'dim' }]];
  }
  const { rows, height } = gridOf(snapshot);
  const cursor = coverageCursor(snapshot);
  const grid = rows.map((row) => calendarLine(row, coverage, cursor, snapshot));
  const filling = Array.from({ length: Math.max(0, height - grid.length) }, (): Line => []);
  return [
    sumLine(coverage, snapshot),
    legend(snapshot.glyphs),
    numbersLine(coverage.unit, snapshot),
    ...grid,
    ...filling,
    ...periodLines(coverage, cursor, snapshot),
  ];
}

function sumLine({ protected_until, unprotected_rows }: Coverage, snapshot: Snapshot): Line {
  const { error, loading, at } = coverageAt(snapshot) ?? {};
  const open = unprotected_rows ?? 0;
  const until =
    protected_until === null
      ? 'No archive holds the first rows'
      : `Archived until ${formatStamp(protected_until)}`;
  const news = error ? `  old: ${error.message}` : loading && at !== undefined ? '  counting…' : '';
  return [
    { text: `  ${until}`, tone: protected_until === null ? 'warn' : 'plain' },
    open > 0
      ? { text: `, ${plural(open, 'row')} in no archive`, tone: 'warn' }
      : { text: ', no row is without an archive', tone: 'good' },
    { text: news, tone: error ? 'warn' : 'dim' },
  ];
}

function legend(glyphs: Glyphs): Line {
  return Object.values(LOOKS).flatMap(({ sign, tone, words }): Span[] => [
    { text: `  ${sign(glyphs)}`, tone },
    { text: ` ${words}`, tone: 'dim' },
  ]);
}

/** Columns of one period; on a narrow terminal one, where the cursor takes the place of the sign. */
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
  const { glyphs } = snapshot;
  const wide = cellWidth(unit, snapshot) === 2;
  const here = cells.includes(cursor);
  const signs = cells.flatMap((index): Span[] => {
    const period = index === undefined ? undefined : periods[index];
    if (!period) return [{ text: wide ? '  ' : ' ' }];
    const { sign, tone } = LOOKS[period.state];
    const own: Span = { text: sign(glyphs), tone };
    if (index !== cursor) return [...(wide ? [{ text: ' ' }] : []), own];
    return [{ text: glyphs.cursor, tone: 'accent', bold: true }, ...(wide ? [own] : [])];
  });
  return [{ text: `  ${label}${wide ? '' : ' '}`, tone: here ? 'accent' : 'dim', bold: here }, ...signs];
}

function periodLines({ unit, periods }: Coverage, cursor: number, snapshot: Snapshot): Line[] {
  const period = periods[cursor];
  if (!period) return [];
  const { columns, glyphs } = snapshot;
  const { from, to, state, rows, unprotected_rows } = period;
  const { sign, tone, words } = LOOKS[state];
  const name = unit === 'day' ? from.slice(0, 10) : `${formatStamp(from)} to ${to.slice(11, 16)}`;
  const open = unprotected_rows > 0 ? `, ${formatExact(unprotected_rows)} in no archive` : '';
  return [
    heading(`${name} UTC`, columns, glyphs),
    [
      { text: `  ${sign(glyphs)} ${words}`, tone },
      { text: `   ${plural(rows, 'row')} in ClickHouse${open}` },
    ],
    ...archiveLines(snapshot),
  ];
}

function archiveLines(snapshot: Snapshot): Line[] {
  const { ids, index } = archivesUnderCursor(snapshot);
  if (ids.length === 0) return [[{ text: '  In no archive', tone: 'dim' }]];
  const record = snapshot.data.archives.value?.find(({ id }) => id === ids[index]);
  const count =
    ids.length === 1 ? 'In one archive' : `Archive ${index + 1} of ${ids.length}, Tab for the next`;
  if (!record) return [[{ text: `  ${count}: ${ids[index]}`, tone: 'dim' }]];
  const { created_at, log_count, size_bytes, filename } = record;
  return [
    [
      { text: `  ${count}: ` },
      { text: `of ${formatStamp(created_at)}, ${plural(log_count, 'row')}, ${formatBytes(size_bytes)}` },
    ],
    [{ text: `  ${filename}`, tone: 'dim' }],
  ];
}
