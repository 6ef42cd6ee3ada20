import type { Coverage } from '../../../core/index.ts';
import { formatStamp } from '../../../core/text/time.ts';
import { formatCount, plural } from '../../../core/text/units.ts';
import type { Span } from '../../text/line.ts';
import { fit } from '../../text/text.ts';
import { type FractalRecord, fractalRecords } from '../lists/fractals.ts';
import { stateSpan } from '../pages/coverage.ts';
import { heading } from '../pages/fields.ts';
import type { Snapshot } from '../types.ts';
import { missing, type OverviewLine } from './line.ts';

const DAY = 86_400_000;
const NAME = 16;
/** Width of a terminal with room for when a fractal was protected last. */
const WIDE = 100;

/** How many days fit. */
function daysIn(columns: number): number {
  if (columns >= 170) return 90;
  return columns >= 140 ? 60 : 30;
}

/** The fractals in the order of the overview: those without any archive first, then the largest. */
export function coverageOrder(snapshot: Snapshot): readonly FractalRecord[] {
  return fractalRecords(snapshot)
    .filter(({ log_count, last }) => log_count > 0 || last)
    .toSorted((a, b) => Number(Boolean(a.last)) - Number(Boolean(b.last)) || b.size_bytes - a.size_bytes);
}

/** A strip of days for each fractal, in at most `height` lines, and a heading. */
export function coverageStrips(snapshot: Snapshot, height: number): OverviewLine[] {
  const { data, columns, symbols, now } = snapshot;
  const none = missing(data.fractals);
  const days = daysIn(columns);
  const from = new Date((Math.floor(now / DAY) - days + 1) * DAY).toISOString().slice(5, 10);
  const title = `Archived logs, ${days} days from ${from} to today (UTC)`;
  const head: OverviewLine = { id: 'coverage', spans: heading(title, columns, symbols) };
  if (none) return [head, { id: 'loading', spans: [{ text: '  ' }, none] }];
  const fractals = coverageOrder(snapshot);
  if (fractals.length === 0) {
    const text = '  No fractal has logs yet';
    return [head, { id: 'fractals', spans: [{ text, tone: 'dim' }], target: { name: 'fractals' } }];
  }
  const shown = fractals.length > height ? fractals.slice(0, height - 1) : fractals;
  const hidden = fractals.slice(shown.length);
  return [
    head,
    ...shown.map((fractal) => stripLine(fractal, snapshot)),
    ...(hidden.length > 0 ? [hiddenLine(hidden)] : []),
  ];
}

function hiddenLine(hidden: readonly FractalRecord[]): OverviewLine {
  const never = hidden.filter(({ last }) => !last).length;
  return {
    id: 'fractals',
    spans: [
      { text: `  ${plural(hidden.length, 'more fractal')}`, tone: 'dim' },
      { text: never > 0 ? `, ${never} never archived` : '', tone: 'warn' },
    ],
    target: { name: 'fractals' },
  };
}

function stripLine({ id, name }: FractalRecord, snapshot: Snapshot): OverviewLine {
  const { symbols, columns } = snapshot;
  const loaded = snapshot.strips.get(id);
  const coverage = loaded?.value;
  const label: Span = { text: `  ${fit(name, NAME - 1, 'left', symbols.ellipsis)} ` };
  const target = { name: 'coverage', subject: `${id}/day` } as const;
  if (!coverage) {
    const text = loaded?.error?.message ?? `counting${symbols.ellipsis}`;
    return { id, spans: [label, { text, tone: loaded?.error ? 'bad' : 'dim' }], target };
  }
  const unprotected = coverage.unprotected_rows ?? 0;
  return {
    id,
    spans: [
      label,
      ...stripOf(coverage, snapshot),
      unprotected === 0
        ? { text: '  all archived', tone: 'good' }
        : { text: `  ${formatCount(unprotected)} rows not archived`, tone: 'warn' },
      { text: columns >= WIDE ? untilText(coverage) : '', tone: 'dim' },
    ],
    target,
  };
}

function untilText({ protected_until }: Coverage): string {
  if (protected_until === null) return ', not even the oldest';
  return `, complete until ${formatStamp(protected_until)}`;
}

/** One column a day, the last one for today. */
function stripOf({ periods }: Coverage, { now, symbols, columns }: Snapshot): Span[] {
  const days = daysIn(columns);
  const states = new Map(periods.map(({ from, state }) => [Math.floor(Date.parse(from) / DAY), state]));
  const today = Math.floor(now / DAY);
  return Array.from({ length: days }, (_, index) =>
    stateSpan(states.get(today - days + 1 + index) ?? 'none', symbols),
  );
}
