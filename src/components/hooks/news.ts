import type { JobEvent, JobStore, JobView } from '../../core/index.ts';
import { jobEnd } from '../view/jobs.ts';
import { formatDuration } from '../view/time.ts';
import type { Severity } from '../view/types.ts';
import type { Data } from './data.ts';

interface Desk {
  jobs: JobStore;
  say(severity: Severity, text: string, options?: { hint?: string }): void;
  refresh: Data['refresh'];
}

const SETTLE_MS = 400;
const TROUBLE_TOLD = 20;

function severityOf({ state, warning_count }: JobView): Severity {
  if (state === 'failed') return 'error';
  return state === 'done' && warning_count === 0 ? 'good' : 'warn';
}

/** Makes the listener that folds job events into the store, and tells the user of those that matter. */
export function followJobs({ jobs, say, refresh }: Desk): (event: JobEvent) => void {
  const find = (id: string) => jobs.snapshot().find((job) => job.id === id);

  function trouble(job: JobView | undefined, text: string): void {
    say('warn', `${job?.title ?? 'Job'}: ${text}`);
  }

  function tellWarning(job: JobView | undefined, message: string): void {
    if ((job?.warning_count ?? 0) < TROUBLE_TOLD) trouble(job, message);
  }

  function tellEnd(job: JobView | undefined): void {
    if (!job) return;
    const { text, hint } = jobEnd(job);
    say(severityOf(job), text, { hint });
  }

  return (event) => {
    jobs.apply(event);
    switch (event.event) {
      case 'job:started':
        say('info', `${event.title}: started`);
        // The record of the new work is there a moment later.
        setTimeout(() => refresh('archives'), SETTLE_MS).unref();
        return;
      case 'job:retry':
        if (event.attempt > TROUBLE_TOLD) return;
        trouble(
          find(event.job),
          `attempt ${event.attempt} in ${formatDuration(event.wait_ms)}: ${event.reason}`,
        );
        return;
      case 'job:warning':
        tellWarning(find(event.job), event.message);
        return;
      case 'job:done':
      case 'job:failed':
      case 'job:cancelled':
        tellEnd(find(event.job));
        refresh();
    }
  };
}
