import { periodAt } from '../../policy/periods.ts';
import { isFuture } from '../../policy/retention.ts';
import type { ArchiveGroup, ArchiveRecord, Fractal } from '../../ports/catalog.ts';
import type { Timestamp } from '../../ports/types.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** Wait after the first failure; doubled after each further one. */
const FIRST_WAIT_MS = 15 * MINUTE_MS;
/** The server's own limit for an archive. */
const ABANDONED_AFTER_MS = DAY_MS;

/** How often to archive a fractal. */
type Schedule = 'daily' | 'weekly' | 'monthly';

/** A scheduled archive, successful or not. */
export interface Attempt {
  created_at: Timestamp;
  /** Of a group of archives, or of a single one. */
  status: 'in_progress' | 'completed' | 'failed' | 'restoring' | 'partial';
}

/** Whether a fractal is due; times are UTC. */
export type Due =
  | {
      due: true;
      /** Start of the calendar period that has no archive yet. */
      since: Timestamp;
      /** Attempts that failed since the last successful archive. */
      failures: number;
    }
  | {
      due: false;
      /**
       * `never`: no schedule; `unknown`: an invalid one; `done`: already archived in this period; `running`: in
       * progress; `waiting`: failed, and waiting for the next attempt.
       */
      reason: 'never' | 'unknown' | 'done' | 'running' | 'waiting';
      failures: number;
      /** When it is due or tried again; null if unknown. */
      next: Timestamp | null;
    };

/**
 * Whether a fractal is due: it is if no scheduled archive succeeded since the start of the calendar day, week
 * (Monday) or month, UTC. A partly failed one counts as failed. After a failure it waits, longer each time, up to a
 * day.
 *
 * Attempts dated in the future are ignored: a clock that was once wrong must not stop a
 * schedule.
 */
export function checkDue(schedule: string, attempts: readonly Attempt[], now: Date): Due {
  if (schedule === 'never') return { due: false, reason: 'never', failures: 0, next: null };
  if (!isSchedule(schedule)) return { due: false, reason: 'unknown', failures: 0, next: null };
  const past = attempts
    .filter(({ created_at }) => !isFuture(created_at, now))
    .sort((a, b) => Date.parse(b.created_at) - Date.parse(a.created_at));
  const latestGood = past.findIndex(({ status }) => status === 'completed' || status === 'restoring');
  const recent = latestGood < 0 ? past : past.slice(0, latestGood);
  const running = recent.find(
    ({ status, created_at }) => status === 'in_progress' && !isAbandoned(created_at, now),
  );
  const failures = recent.filter((one) => one !== running).length;
  const completed = past[latestGood];
  const { start, end } = calendarPeriod(schedule, now);
  if (completed && Date.parse(completed.created_at) >= start.getTime()) {
    return { due: false, reason: 'done', failures: 0, next: end.toISOString() };
  }
  if (running) return { due: false, reason: 'running', failures, next: null };
  const next = nextAttempt(recent, now);
  if (next) return { due: false, reason: 'waiting', failures, next: next.toISOString() };
  return { due: true, since: start.toISOString(), failures };
}

/** Which fractals with a schedule are due, by the records of their scheduled archives. */
export function dueOf(
  fractals: readonly Fractal[],
  { archives, groups }: { archives: readonly ArchiveRecord[]; groups: readonly ArchiveGroup[] },
  now: Date,
): (Due & { fractal_id: string; fractal_name: string })[] {
  const alone = archives.filter(({ group_id }) => group_id === null);
  const scheduled = [...groups, ...alone].filter(({ archive_type }) => archive_type === 'scheduled');
  const attempts = Map.groupBy(scheduled, ({ fractal_id }) => fractal_id);
  return fractals
    .filter(({ archive_schedule }) => archive_schedule !== 'never')
    .map(({ id, name, archive_schedule }) => ({
      fractal_id: id,
      fractal_name: name,
      ...checkDue(archive_schedule, attempts.get(id) ?? [], now),
    }));
}

function isSchedule(text: string): text is Schedule {
  return text === 'daily' || text === 'weekly' || text === 'monthly';
}

/** When to try again after these failures, the newest first; undefined if now. */
function nextAttempt([last, ...before]: readonly Attempt[], now: Date): Date | undefined {
  if (!last) return undefined;
  const wait = Math.min(FIRST_WAIT_MS * 2 ** before.length, DAY_MS);
  const next = new Date(Date.parse(last.created_at) + wait);
  return next > now ? next : undefined;
}

function isAbandoned(created_at: Timestamp, now: Date): boolean {
  return now.getTime() - Date.parse(created_at) > ABANDONED_AFTER_MS;
}

/** The calendar day, week or month that contains a time, UTC: `start ≤ time < end`. */
export function calendarPeriod(schedule: Schedule, time: Date): { start: Date; end: Date } {
  if (schedule === 'monthly') {
    const [year, month] = [time.getUTCFullYear(), time.getUTCMonth()];
    return { start: new Date(Date.UTC(year, month)), end: new Date(Date.UTC(year, month + 1)) };
  }
  const { from, to } = periodAt(schedule === 'daily' ? 'day' : 'week', time.toISOString());
  return { start: new Date(from), end: new Date(to) };
}
