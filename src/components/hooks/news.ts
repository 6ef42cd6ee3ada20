import type { ArchiveRecord, JobEvent, JobStore, JobView } from '../../core/index.ts';
import { readableTitle } from '../view/job-name.ts';
import { jobEnd } from '../view/jobs.ts';
import { bareName } from '../view/text.ts';
import { formatDuration } from '../view/time.ts';
import type { Resource, Severity } from '../view/types.ts';

interface Desk {
  jobs: JobStore;
  say(severity: Severity, text: string, options?: { hint?: string; quiet?: boolean }): void;
  refresh(...resources: Resource[]): void;
  archives(): readonly ArchiveRecord[];
}

type ItemEvent = Extract<JobEvent, { event: 'job:item' }>;

const SETTLE_MS = 400;
const TROUBLE_TOLD = 20;
const FAILED: Readonly<Record<string, string>> = {
  verify: 'Verification failed',
  adopt: 'Not adopted',
  clean: 'Not cleaned up',
  delete: 'Not deleted',
  copy: 'Not copied',
};

function severityOf({ state, warning_count }: JobView): Severity {
  if (state === 'failed') return 'error';
  return state === 'done' && warning_count === 0 ? 'good' : 'warn';
}

/** Makes the listener that folds job events into the store, and tells the user of those that matter. */
export function followJobs({ jobs, say, refresh, archives }: Desk): (event: JobEvent) => void {
  const begun = Date.now();
  const told = new Set<string>();
  const find = (id: string) => jobs.snapshot().find((job) => job.id === id);

  function trouble(job: JobView | undefined, text: string): void {
    say('warn', `${job?.title ?? 'Job'}: ${text}`);
  }

  function tellWarning(job: JobView | undefined, message: string): void {
    if ((job?.warning_count ?? 0) < TROUBLE_TOLD) trouble(job, message);
  }

  function tellItem(job: JobView | undefined, { item, ok, message, error }: ItemEvent): void {
    const name = bareName(item);
    if (ok) say('good', `${name}: ${message}`, { quiet: true });
    else if ((job?.failed_count ?? 0) < TROUBLE_TOLD)
      say('error', `${FAILED[job?.kind ?? ''] ?? 'Failed'}: ${message}  ${name}`, { hint: error?.hint });
  }

  function tellEnd(job: JobView | undefined): void {
    // The end of a job on one thing says again what was said of that.
    if (!job || (job.state === 'failed' && job.item_count === 1 && job.failed_count === 1)) return;
    const { text, hint } = jobEnd(job);
    say(severityOf(job), text, { hint });
  }

  return (raw) => {
    const event = raw.event === 'job:started' ? { ...raw, title: readableTitle(raw.title, archives()) } : raw;
    jobs.apply(event);
    // What other consoles have seen long ago is history here, not news.
    if (Date.parse(event.time) < begun) return;
    switch (event.event) {
      case 'job:started':
        if (told.has(event.job)) return;
        told.add(event.job);
        say('info', `${event.title}: started`);
        // The record of the new work is there a moment later.
        if (event.kind === 'archive') setTimeout(() => refresh('archives'), SETTLE_MS).unref();
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
      case 'job:item':
        tellItem(find(event.job), event);
        return;
      case 'job:done':
      case 'job:failed':
      case 'job:cancelled':
        tellEnd(find(event.job));
        refresh();
    }
  };
}
