import { GRIDS, periodAt, type Split } from '../../policy/periods.ts';
import type { Fractal } from '../../ports/catalog.ts';
import type { LogDatabase, LogWindow } from '../../ports/log-database.ts';
import type { ArchiveProgressRecord, ArchiveRequest } from '../../ports/state.ts';
import type { UnfinishedObject } from '../../ports/storage.ts';
import type { CallOptions, Timestamp } from '../../ports/types.ts';
import { type CoverageServices, evidenceAndCounts } from '../coverage/coverage.ts';
import { evaluateCells } from '../coverage/evaluate.ts';
import type { Cell } from '../coverage/periods.ts';

/** What an archive writes: its files, one after the other. */
export interface ArchivePlan {
  fractal: Fractal;
  request: ArchiveRequest;
  /** Time of the newest row at the start. */
  end: Timestamp;
  begun_at: Timestamp;
  /** Windows still to archive. */
  windows: readonly ArchiveWindow[];
  /** Queries at a time; undefined: by setting and server. */
  parallel?: number | undefined;
  /** Set if an interrupted archive is resumed. */
  resumed?: ResumedArchive;
}

/**
 * The rows of one archive file: those with `from ≤ timestamp < to`. The label is that of the period; null if the
 * archive is not split.
 */
export type ArchiveWindow = ArchiveProgressRecord['window'];

/** What an interrupted archive left behind. */
interface ResumedArchive {
  group_id: string;
  /** Files that have a record, by period. */
  files: ReadonlyMap<string | null, ArchiveFileName>;
  /** Partial files, the longest first. */
  unfinished: UnfinishedObject[];
  /** Interrupted jobs, whose records are removed once this job has its own. */
  job_ids: string[];
}

/** Identifies the file of an archive. */
export interface ArchiveFileName {
  archive_id: string;
  filename: string;
  /** Name in storage. */
  path: string;
}

/** The files that an archive of a fractal consists of. */
interface WindowPlan {
  /** Time of the newest row, where all windows end. Null if there are no rows. */
  end: Timestamp | null;
  /** The earliest first; none is empty. */
  windows: ArchiveWindow[];
}

/** Counts the rows, and splits them into periods. Rows newer than the newest one now are not included. */
export async function planWindows(
  services: CoverageServices,
  request: ArchiveRequest,
  options: CallOptions = {},
): Promise<WindowPlan> {
  const { fractal_id, split, from, only_uncovered } = request;
  const logs = await services.logs();
  const { rows, last } = await logs.stats(logWindow(fractal_id, request), options);
  if (last === null) return { end: null, windows: [] };
  const all = { label: null, from, to: nextMillisecond(last), rows };
  const windows = split === 'none' ? [all] : await splitWindow(logs, fractal_id, all, split, options);
  if (!only_uncovered) return { end: last, windows };
  return { end: last, windows: await selectUncovered(services, request, windows, options) };
}

/** The rows of a window, for queries. */
export function logWindow(
  fractal_id: string,
  { from, to }: { from: Timestamp | null; to: Timestamp | null },
): LogWindow {
  return { fractal_id, from: from ?? undefined, to: to ?? undefined };
}

/** Log times are whole milliseconds, so this is the exclusive end of a window that includes `time`. */
export function nextMillisecond(time: Timestamp): Timestamp {
  return new Date(Date.parse(time) + 1).toISOString();
}

async function splitWindow(
  logs: LogDatabase,
  fractal_id: string,
  window: ArchiveWindow,
  split: Split,
  options: CallOptions,
): Promise<ArchiveWindow[]> {
  const { from, to } = window;
  const counted = await logs.periods(logWindow(fractal_id, window), GRIDS[split], options);
  return counted.map(({ start, rows }) => {
    const period = periodAt(split, start);
    return {
      label: period.label,
      from: from !== null && Date.parse(from) > Date.parse(period.from) ? from : period.from,
      to: Date.parse(to) < Date.parse(period.to) ? to : period.to,
      rows,
    };
  });
}

/**
 * Limits windows to what no complete archive has yet: the periods with any such row, or for an unsplit archive
 * everything from the first such row on.
 */
async function selectUncovered(
  services: CoverageServices,
  { fractal_id, split }: ArchiveRequest,
  windows: ArchiveWindow[],
  options: CallOptions,
): Promise<ArchiveWindow[]> {
  const grid = GRIDS[split === 'none' ? 'day' : split];
  const { evidence, counts } = await evidenceAndCounts(services, { fractal_id, grid }, options);
  const unprotected = evaluateCells(evidence, counts).cells.filter((cell) => cell.unprotected > 0);
  if (split === 'none') {
    const [window] = windows as [ArchiveWindow];
    return fromFirstUnprotected(await services.logs(), fractal_id, window, unprotected, options);
  }
  const periods = new Set(unprotected.map(({ period }) => period));
  return windows.filter(({ from }) => periods.has(Date.parse(periodAt(split, from ?? '').from)));
}

async function fromFirstUnprotected(
  logs: LogDatabase,
  fractal_id: string,
  window: ArchiveWindow,
  unprotected: readonly Cell[],
  options: CallOptions,
): Promise<ArchiveWindow[]> {
  const begin = window.from === null ? Number.NEGATIVE_INFINITY : Date.parse(window.from);
  const end = Date.parse(window.to);
  const start = unprotected.reduce((earliest, cell) => Math.min(earliest, cell.first_unprotected), end);
  if (start >= end) return [];
  if (start <= begin) return [window];
  const from = new Date(start).toISOString();
  const { rows } = await logs.stats(logWindow(fractal_id, { from, to: window.to }), options);
  return rows > 0 ? [{ ...window, from, rows }] : [];
}
