import type { JobEvent } from '../contract/events.ts';
import { type Entry, fold, type JobView, newEntry, viewOf } from './job-view.ts';

export type { JobItem, JobState, JobView } from './job-view.ts';

export interface JobStore {
  /** Applies one event. Cheap: copies are made only on publication. */
  apply(event: JobEvent): void;
  /** Shows the job as cancelling until its final event arrives. */
  markCancelling(job: string): void;
  /** Jobs, newest first. The same array until the next publication. */
  snapshot(): readonly JobView[];
  /** Calls the listener after each publication. Returns the unsubscribe function. */
  subscribe(listener: () => void): () => void;
  /** Removes listeners and timers. */
  close(): void;
}

export interface JobStoreOptions {
  /** Minimum time between publications, ms; the end of a job is published at once. */
  interval_ms?: number;
  /** Maximum number of jobs; the oldest ended ones are dropped first. */
  capacity?: number;
  now?: () => number;
}

/**
 * Folds the events of all jobs into one snapshot for screens.
 *
 * Listeners are called at most once per interval; the end of a job is published at once.
 */
export function createJobStore(options: JobStoreOptions = {}): JobStore {
  const { interval_ms = 100, capacity = 200, now = Date.now } = options;
  const entries = new Map<string, Entry>();
  const listeners = new Set<() => void>();
  let published: readonly JobView[] = [];
  let last = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;

  function publish(): void {
    clearTimeout(timer);
    timer = undefined;
    last = now();
    published = [...entries.values()].map((entry) => (entry.view ??= viewOf(entry))).reverse();
    for (const listener of listeners) listener();
  }

  function changed(entry: Entry, urgent: boolean): void {
    entry.view = undefined;
    const wait = last + interval_ms - now();
    if (urgent || (wait <= 0 && timer === undefined)) publish();
    else timer ??= setTimeout(publish, Math.min(wait, interval_ms)).unref();
  }

  function evict(): void {
    for (const [id, entry] of entries) {
      if (entries.size < capacity) return;
      if (entry.job.ended_at !== undefined) entries.delete(id);
    }
  }

  function entryOf(id: string, at: number): Entry {
    const known = entries.get(id);
    if (known) return known;
    evict();
    const entry = newEntry(id, at);
    entries.set(id, entry);
    return entry;
  }

  return {
    apply(event) {
      const stamp = Date.parse(event.time);
      const at = Number.isNaN(stamp) ? now() : stamp;
      const entry = entryOf(event.job, at);
      // Late events must not reopen an ended job.
      if (entry.job.ended_at !== undefined) return;
      fold(entry, event, at, now());
      changed(entry, entry.job.ended_at !== undefined);
    },
    markCancelling(id) {
      const entry = entries.get(id);
      if (entry?.job.state !== 'running') return;
      entry.job.state = 'cancelling';
      changed(entry, true);
    },
    snapshot: () => published,
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    close() {
      clearTimeout(timer);
      timer = undefined;
      listeners.clear();
    },
  };
}
