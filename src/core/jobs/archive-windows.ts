import { GRIDS, type Granularity, periodAt } from '../policy/periods.ts';
import type { LogDatabase } from '../ports/log-database.ts';
import type { CallOptions, Timestamp } from '../ports/types.ts';

/** What is to be archived of a fractal. */
export interface WindowQuery {
  fractal_id: string;
  split: Granularity;
  /** Only rows with `from ≤ timestamp < to`. */
  from?: Timestamp;
  to?: Timestamp;
}

/** The rows of one archive file: those with `from ≤ timestamp < to`. */
export interface ArchiveWindow {
  /** Of the period; null where the archive is not split. */
  label: string | null;
  from?: Timestamp;
  to: Timestamp;
  /** How many there are. */
  rows: number;
}

/** The files that an archive of a fractal comes to. */
export interface WindowPlan {
  /** Time of the newest row: the end of all of them. Null where there is none. */
  end: Timestamp | null;
  /** The earliest first; none of them is empty. */
  windows: ArchiveWindow[];
}

/** Counts what there is, and cuts it into periods. The newest row of this moment pins the end. */
export async function planWindows(
  logs: LogDatabase,
  { split, ...window }: WindowQuery,
  options: CallOptions = {},
): Promise<WindowPlan> {
  const { rows, last } = await logs.stats(window, options);
  if (last === null) return { end: null, windows: [] };
  const all = { ...window, to: justAfter(last) };
  const windows = split === 'none' ? [whole(all, rows)] : await periods(logs, split, all, options);
  return { end: last, windows };
}

function whole({ from, to }: Omit<WindowQuery, 'split'> & { to: Timestamp }, rows: number): ArchiveWindow {
  return { label: null, ...(from === undefined ? {} : { from }), to, rows };
}

async function periods(
  logs: LogDatabase,
  split: Exclude<Granularity, 'none'>,
  { fractal_id, from, to }: Omit<WindowQuery, 'split'> & { to: Timestamp },
  options: CallOptions,
): Promise<ArchiveWindow[]> {
  const counted = await logs.periods({ fractal_id, from, to }, GRIDS[split], options);
  return counted.map(({ start, rows }) => {
    const period = periodAt(split, start);
    return {
      label: period.label,
      from: from !== undefined && Date.parse(from) > Date.parse(period.from) ? from : period.from,
      to: Date.parse(to) < Date.parse(period.to) ? to : period.to,
      rows,
    };
  });
}

/** Log times are whole milliseconds, so the next one is the first that a window up to `time` leaves out. */
export function justAfter(time: Timestamp): Timestamp {
  return new Date(Date.parse(time) + 1).toISOString();
}
