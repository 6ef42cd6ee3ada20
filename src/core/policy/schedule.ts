import type { Timestamp } from '../ports/types.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** How far another machine's clock may be ahead of ours: what is dated later is of a clock that was wrong. */
export const SKEW_MS = 60 * MINUTE_MS;
/** After the first failure; doubled with each one that follows. */
const FIRST_WAIT_MS = 15 * MINUTE_MS;
/** No archive takes longer by the server's own limit. */
const SURELY_DEAD_MS = DAY_MS;

/** How often a fractal is archived. */
export type Schedule = 'daily' | 'weekly' | 'monthly';

/** A scheduled archive that was made, or tried. */
export interface Attempt {
  created_at: Timestamp;
  /** Of a group of archives, or of a single one. */
  status: 'in_progress' | 'completed' | 'failed' | 'restoring' | 'partial';
}

/** Whether a fractal is due; times are UTC. */
export type Due =
  | {
      due: true;
      /** Beginning of the calendar period that has no archive yet. */
      since: Timestamp;
      /** Tries that failed since the last good archive. */
      failures: number;
    }
  | {
      due: false;
      /**
       * `never`: no schedule; `unknown`: one that is none; `done`: made in this period; `running`: being made;
       * `waiting`: it failed, and the next try is not yet.
       */
      why: 'never' | 'unknown' | 'done' | 'running' | 'waiting';
      failures: number;
      /** When it will be due, or is tried again; null where that cannot be said. */
      next: Timestamp | null;
    };

/**
 * Whether a fractal is due: it is where no scheduled archive was made since the beginning of the calendar day, week
 * (Monday) or month, UTC. One that failed in part has failed. After a failure it waits, longer each time, a day at most.
 *
 * What is dated more than `SKEW_MS` after `now` counts for nothing: a clock that was once wrong must not end a schedule.
 */
export function dueOf(schedule: string, attempts: readonly Attempt[], now: Date): Due {
  if (schedule === 'never') return { due: false, why: 'never', failures: 0, next: null };
  if (!isSchedule(schedule)) return { due: false, why: 'unknown', failures: 0, next: null };
  const past = attempts
    .filter(({ created_at }) => Date.parse(created_at) <= now.getTime() + SKEW_MS)
    .sort((a, b) => Date.parse(b.created_at) - Date.parse(a.created_at));
  const good = past.findIndex(({ status }) => status === 'completed' || status === 'restoring');
  const tries = good < 0 ? past : past.slice(0, good);
  const running = tries.find(
    ({ status, created_at }) => status === 'in_progress' && !isDead(created_at, now),
  );
  const failures = tries.filter((one) => one !== running).length;
  const made = past[good];
  const since = periodStart(schedule, now);
  if (made && Date.parse(made.created_at) >= since.getTime()) {
    return { due: false, why: 'done', failures: 0, next: periodEnd(schedule, now).toISOString() };
  }
  if (running) return { due: false, why: 'running', failures, next: null };
  const next = nextTry(tries, now);
  if (next) return { due: false, why: 'waiting', failures, next: next.toISOString() };
  return { due: true, since: since.toISOString(), failures };
}

/** Whether it is one that is known. */
export function isSchedule(text: string): text is Schedule {
  return text === 'daily' || text === 'weekly' || text === 'monthly';
}

/** When the next try is, after those that failed, the newest first; undefined where it is now. */
function nextTry([last, ...before]: readonly Attempt[], now: Date): Date | undefined {
  if (!last) return undefined;
  const wait = Math.min(FIRST_WAIT_MS * 2 ** before.length, DAY_MS);
  const next = new Date(Date.parse(last.created_at) + wait);
  return next > now ? next : undefined;
}

function isDead(created_at: Timestamp, now: Date): boolean {
  return now.getTime() - Date.parse(created_at) > SURELY_DEAD_MS;
}

/** Beginning of the day, week or month of a time, UTC. */
export function periodStart(schedule: Schedule, time: Date): Date {
  const [year, month, day] = [time.getUTCFullYear(), time.getUTCMonth(), time.getUTCDate()];
  if (schedule === 'monthly') return new Date(Date.UTC(year, month, 1));
  const sinceMonday = schedule === 'weekly' ? (time.getUTCDay() + 6) % 7 : 0;
  return new Date(Date.UTC(year, month, day - sinceMonday));
}

/** Beginning of the one that follows. */
export function periodEnd(schedule: Schedule, time: Date): Date {
  const end = periodStart(schedule, time);
  if (schedule === 'monthly') end.setUTCMonth(end.getUTCMonth() + 1);
  else end.setUTCDate(end.getUTCDate() + (schedule === 'weekly' ? 7 : 1));
  return end;
}
