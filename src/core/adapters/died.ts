import type { JobKind } from '../ports/job-board.ts';
import type { Entry } from './job-history.ts';
import type { Journal } from './read-journal.ts';

/** Jobs that go on where they ended when the same is asked for again. */
const RESUMED: ReadonlySet<JobKind> = new Set(['archive', 'restore-archive', 'rotate-key']);

/** The end of a job that could not tell it: its process was killed, or the machine went down. `log` is where it said why. */
export function diedEvent(job: string, { head, entries, written_at }: Journal, log?: string): Entry {
  const [start] = entries;
  const kind = start?.event.event === 'job:started' ? start.event.kind : undefined;
  const hint =
    kind && RESUMED.has(kind)
      ? 'Run the same command again to continue. What cannot be used is removed by that, or by opening the console.'
      : 'The next job, or opening the console, removes what it left. Then start it again.';
  return {
    seq: (entries.at(-1)?.seq ?? 0) + 1,
    event: {
      event: 'job:failed',
      job,
      time: new Date(written_at).toISOString(),
      error: {
        code: 'JOB_DIED',
        message: `The process of the job (${head.process.pid}) is gone without a word: it was killed, or the machine went down`,
        hint: log === undefined ? hint : `${hint} What it said last is in ${log}.`,
      },
    },
  };
}
