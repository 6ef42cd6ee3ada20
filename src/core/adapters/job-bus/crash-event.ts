import type { Entry } from './history.ts';
import type { Journal } from './journal-reader.ts';

/** Hints for jobs that can be resumed. */
const RESUME_HINTS: Partial<Record<string, string>> = {
  archive: 'Run the same command again to resume it, or select it in the console and press c.',
  'restore-archive':
    'Run the same command again to resume it, or select it in the console and press c. If it was already replacing rows, the next job, or opening the console, finishes that: no rows are lost.',
  'rotate-key': 'Run the same command again to continue with the files that still use the old key.',
};

/** The final event of a job whose process was killed or lost with its machine. `log` is its stderr, if not empty. */
export function crashEvent(job: string, { head, entries, written_at }: Journal, log?: string): Entry {
  const [start] = entries;
  const kind = start?.event.event === 'job:started' ? start.event.kind : undefined;
  const hint =
    (kind && RESUME_HINTS[kind]) ??
    'The next job, or opening the console, cleans up after it. Then start it again.';
  return {
    seq: (entries.at(-1)?.seq ?? 0) + 1,
    event: {
      event: 'job:failed',
      job,
      time: new Date(written_at).toISOString(),
      error: {
        code: 'JOB_DIED',
        message: `The process of the job (PID ${head.process.pid}) was killed, or the machine went down`,
        hint: log === undefined ? hint : `${hint} Its last output is in ${log}.`,
      },
    },
  };
}
