import { GRIDS, type Granularity, periodAt } from '../../policy/periods.ts';
import type { LogDatabase } from '../../ports/log-database.ts';
import type { CallOptions, Timestamp } from '../../ports/types.ts';

/** What to archive of a fractal. */
export interface WindowQuery {
  fractal_id: string;
  split: Granularity;
  /** Only rows with `from ≤ timestamp < to`. */
  from?: Timestamp;
  to?: Timestamp;
}

/** The rows of one archive file: those with `from ≤ timestamp < to`. */
export interface ArchiveWindow {
  /** Of the period; null if the archive is not split. */
  label: string | null;
  from?: Timestamp;
  to: Timestamp;
  rows: number;
}

/** The files that an archive of a fractal consists of. */
export interface WindowPlan {
  /** Time of the newest row, where all windows end. Null if there are no rows. */
  end: Timestamp | null;
  /** The earliest first; none is empty. */
  windows: ArchiveWindow[];
}

/** Counts the rows, and splits them into periods. Rows newer than the newest one now are not included. */
export async function planWindows(
  logs: LogDatabase,
  { split, ...window }: WindowQuery,
  options: CallOptions = {},
): Promise<WindowPlan> {
  const { rows, last } = await logs.stats(window, options);
  if (last === null) return { end: null, windows: [] };
  const all = { ...window, to: nextMillisecond(last) };
  const windows =
    split === 'none' ? [singleWindow(all, rows)] : await periodWindows(logs, split, all, options);
  return { end: last, windows };
}

function singleWindow(
  { from, to }: Omit<WindowQuery, 'split'> & { to: Timestamp },
  rows: number,
): ArchiveWindow {
  return { label: null, ...(from === undefined ? {} : { from }), to, rows };
}

async function periodWindows(
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

/** Log times are whole milliseconds, so this is the exclusive end of a window that includes `time`. */
export function nextMillisecond(time: Timestamp): Timestamp {
  return new Date(Date.parse(time) + 1).toISOString();
}
