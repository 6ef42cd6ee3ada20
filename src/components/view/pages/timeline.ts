import type { Line } from '../../text/line.ts';
import type { Snapshot } from '../types.ts';
import { calendarLine, calendarNumbers, calendarOf, legendLines, summaryLines } from './coverage.ts';
import { heading, indented } from './fields.ts';

/** The days of a fractal that are archived, the newest months in `height` lines. */
export function timelinePane(fractal_id: string, snapshot: Snapshot, height: number): readonly Line[] {
  const { columns, symbols, data } = snapshot;
  const loaded = snapshot.coverage.get(`${fractal_id}/day`);
  const name = data.fractals.value?.find(({ id }) => id === fractal_id)?.name ?? fractal_id;
  const title = heading(`Timeline of ${name}`, columns, symbols);
  const coverage = loaded?.value;
  if (!coverage)
    return [
      title,
      ...(loaded?.error
        ? indented(loaded.error.message, columns, 'bad')
        : indented(`Counting${symbols.ellipsis}`, columns, 'dim')),
    ];
  if (coverage.periods.length === 0)
    return [title, ...indented('No rows in ClickHouse or in any archive.', columns, 'dim')];
  const head = [title, ...summaryLines(coverage, loaded, columns), [], calendarNumbers('day', snapshot)];
  const foot = [[], ...legendLines(snapshot)];
  const { rows } = calendarOf(coverage);
  const shown = rows.slice(Math.max(0, rows.length - (height - head.length - foot.length)));
  return [...head, ...shown.map((row) => calendarLine(row, coverage, undefined, snapshot)), ...foot];
}
