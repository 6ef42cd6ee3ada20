import type { JobEvent, JobStore, JobView } from '../../core/index.ts';
import { formatDuration } from '../../core/text/time.ts';
import { plural } from '../../core/text/units.ts';
import { fileTitle } from '../view/archive-name.ts';
import { jobEnd, readableTitle } from '../view/jobs.ts';
import type { DataState, Resource, Severity } from '../view/types.ts';

interface Options {
  jobs: JobStore;
  notify(severity: Severity, text: string, options?: NotifyOptions): void;
  refresh(...resources: Resource[]): void;
  data(): DataState;
}

/** How to notify the user. */
export interface NotifyOptions {
  /** What to do. */
  hint?: string;
  /** Only in the log. */
  quiet?: boolean;
  /** Replaces the entry of the log that was made with the same name. */
  replaces?: string;
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
export function followJobs({ jobs, notify, refresh, data }: Options): (event: JobEvent) => void {
  const openedAt = Date.now();
  const counts = new Map<string, { items: number; failures: number }>();
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

  /** The items of a job are one line of the log, with the newest one; a failure is also shown on the message line. */
  function reportItem({ job: id, item, ok, message, error }: ItemEvent): void {
    const { items, failures } = counts.get(id) ?? { items: 0, failures: 0 };
    const [done, failed] = [items + 1, failures + Number(!ok)];
    counts.set(id, { items: done, failures: failed });
    const newest = `${message} (${fileTitle(item, data())})`;
    const so_far = failed === 0 ? plural(done, 'item') : `${failed} of ${plural(done, 'item')} failed`;
    const several = `${find(id)?.title ?? 'Job'}, ${so_far}${ok && failed > 0 ? '; newest' : ''}: ${newest}`;
    const text = done > 1 ? several : ok ? newest : `Failed: ${newest}`;
    notify(failed > 0 ? 'error' : 'good', text, {
      hint: error?.hint,
      replaces: `items of ${id}`,
      quiet: ok || failed > MAX_REPORTED,
    });
  }

  function reportEnd(job: JobView | undefined): void {
    // If a job with a single item fails, the failure of the item has been reported already.
    if (!job || (job.state === 'failed' && job.item_count === 1 && job.failed_count === 1)) return;
    const { text, hint } = jobEnd(job);
    notify(severityOf(job), text, { hint });
  }

  return (raw) => {
    const event = raw.event === 'job:started' ? { ...raw, title: readableTitle(raw.title, data()) } : raw;
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
        reportItem(event);
        refreshChecks(find(event.job));
        return;
      case 'job:done':
      case 'job:failed':
      case 'job:cancelled':
        counts.delete(event.job);
        reportEnd(find(event.job));
        refresh();
    }
  };
}
