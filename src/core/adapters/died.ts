import type { JobKind } from '../ports/job-board.ts';
import type { Entry } from './job-history.ts';
import type { Journal } from './read-journal.ts';

/** What is to be done where the same, asked for again, goes on. */
const RESUMED: Partial<Record<JobKind, string>> = {
  archive:
    'Run the same command again, or press c on it in the console: it goes on with what is stored already.',
  'restore-archive':
    'Run the same command again, or press c on it in the console: it goes on with the rows that are prepared. If it had begun to remove or move in rows, the next job, or opening the console, brings it to its end as well: none are lost.',
  'rotate-key': 'Run the same command again: it goes on with the files that are still under the old key.',
};

/** The end of a job that could not tell it: its process was killed, or the machine went down. `log` is where it said why. */
export function diedEvent(job: string, { head, entries, written_at }: Journal, log?: string): Entry {
  const [start] = entries;
  const kind = start?.event.event === 'job:started' ? start.event.kind : undefined;
  const hint =
    (kind && RESUMED[kind]) ??
    'The next job, or opening the console, removes what it left. Then start it again.';
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
