import type { JobView, ProgressPoint } from '../../core/index.ts';
import { formatRowRate } from '../../core/text/units.ts';
import { formatByteRate } from '../text/display.ts';
import type { Span } from '../text/line.ts';
import { type Symbols, sparkline } from '../text/symbols.ts';
import { countsBytes } from './jobs.ts';

/** The mean rate of a job over its whole time, in the unit that its progress is measured in; undefined if it has none. */
export function averageRate(job: JobView, now: number): string | undefined {
  const seconds = ((job.ended_at ?? now) - job.started_at) / 1_000;
  const { rows, bytes_in } = job.progress;
  if (seconds < 1) return undefined;
  if (rows !== undefined && !countsBytes(job.progress)) return formatRowRate(rows / seconds);
  return bytes_in === undefined ? undefined : formatByteRate(bytes_in / seconds);
}

/** The rate of a job over its time, as a line of bars; undefined if too little is known. */
export function throughput(job: JobView, columns: number, now: number, symbols: Symbols): Span | undefined {
  const counts = (point: ProgressPoint) =>
    countsBytes(job.progress) ? point.bytes_in : (point.rows ?? point.bytes_in);
  const points = job.points.flatMap((point) => {
    const count = counts(point);
    return count === undefined ? [] : [{ at: point.at, count }];
  });
  if (points.length < 2) return undefined;
  const rates = ratesOf(points, { from: job.started_at, to: job.ended_at ?? now, slices: columns });
  if (rates.every((rate) => rate === 0)) return undefined;
  // The bars begin at zero, not at the lowest rate.
  return { text: sparkline([...rates, 0], symbols).slice(0, -1), tone: 'accent' };
}

/** The mean growth of a counter per millisecond in each of equal parts of a time. */
function ratesOf(
  points: readonly { at: number; count: number }[],
  { from, to, slices }: { from: number; to: number; slices: number },
): number[] {
  const rates = Array<number>(slices).fill(0);
  const length = Math.max(1, to - from) / slices;
  for (const [index, { at, count }] of points.entries()) {
    const before = points[index - 1];
    // A counter starts again with a new part of the job.
    if (!before || at <= before.at || count <= before.count) continue;
    const rate = (count - before.count) / (at - before.at);
    const first = Math.max(0, Math.floor((before.at - from) / length));
    const last = Math.min(slices - 1, Math.floor((at - from) / length));
    for (let slice = first; slice <= last; slice++) {
      const start = from + slice * length;
      const shared = Math.min(at, start + length) - Math.max(before.at, start);
      rates[slice] = (rates[slice] ?? 0) + (rate * Math.max(0, shared)) / length;
    }
  }
  return rates;
}
