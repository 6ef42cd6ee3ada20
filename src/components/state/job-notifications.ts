import type { ArchiveRecord, JobEvent, JobStore, JobView } from '../../core/index.ts';
import { formatDuration } from '../../core/text/time.ts';
import { baseName } from '../text/text.ts';
import { jobEnd, readableTitle } from '../view/jobs.ts';
import type { Resource, Severity } from '../view/types.ts';

interface Options {
  jobs: JobStore;
  notify(severity: Severity, text: string, options?: { hint?: string; quiet?: boolean }): void;
  refresh(...resources: Resource[]): void;
  archives(): readonly ArchiveRecord[];
}

type ItemEvent = Extract<JobEvent, { event: 'job:item' }>;

const SETTLE_MS = 400;

/** How long results of checks are collected before they are loaded. */
const CHECKS_MS = 1_000;

/** Warnings, retries and failures that are reported per job; its page shows them all. */
const MAX_REPORTED = 20;

function severityOf({ state, warning_count }: JobView): Severity {
  if (state === 'failed') return 'error';
  return state === 'done' && warning_count === 0 ? 'good' : 'warn';
}

/** Makes the listener that applies job events to the store and notifies the user of those that matter. */
export function followJobs({ jobs, notify, refresh, archives }: Options): (event: JobEvent) => void {
  const openedAt = Date.now();
  let refreshing: NodeJS.Timeout | undefined;
  const find = (id: string) => jobs.snapshot().find((job) => job.id === id);

  function warn(job: JobView | undefined, text: string): void {
    notify('warn', `${job?.title ?? 'Job'}: ${text}`);
  }

  function reportWarning(job: JobView | undefined, message: string): void {
    if ((job?.warning_count ?? 0) < MAX_REPORTED) warn(job, message);
  }

  /** Results of a long verification appear while it runs. */
  function refreshChecks(job: JobView | undefined): void {
    if (job?.kind !== 'verify' || refreshing) return;
    refreshing = setTimeout(() => {
      refreshing = undefined;
      refresh('checks', 'backups');
    }, CHECKS_MS).unref();
  }

  function reportItem(job: JobView | undefined, { item, ok, message, error }: ItemEvent): void {
    const name = baseName(item);
    if (ok) notify('good', `${message} (${name})`, { quiet: true });
    else if ((job?.failed_count ?? 0) < MAX_REPORTED)
      notify('error', `Failed: ${message} (${name})`, { hint: error?.hint });
  }

  function reportEnd(job: JobView | undefined): void {
    // If a job with a single item fails, the failure of the item has been reported already.
    if (!job || (job.state === 'failed' && job.item_count === 1 && job.failed_count === 1)) return;
    const { text, hint } = jobEnd(job);
    notify(severityOf(job), text, { hint });
  }

  return (raw) => {
    const event = raw.event === 'job:started' ? { ...raw, title: readableTitle(raw.title, archives()) } : raw;
    jobs.apply(event);
    // Events from before this console was opened are shown on the job pages only.
    if (Date.parse(event.time) < openedAt) return;
    switch (event.event) {
      case 'job:started':
        notify('info', `${event.title}: started`);
        // The record of a new archive appears a moment later.
        if (event.kind === 'archive') setTimeout(() => refresh('archives', 'groups'), SETTLE_MS).unref();
        return;
      case 'job:retry':
        if (event.attempt > MAX_REPORTED) return;
        warn(
          find(event.job),
          `attempt ${event.attempt + 1} in ${formatDuration(event.wait_ms)}: ${event.reason}`,
        );
        return;
      case 'job:warning':
        reportWarning(find(event.job), event.message);
        return;
      case 'job:item':
        reportItem(find(event.job), event);
        refreshChecks(find(event.job));
        return;
      case 'job:done':
      case 'job:failed':
      case 'job:cancelled':
        reportEnd(find(event.job));
        refresh();
    }
  };
}
