import type { ErrorReport } from './errors.ts';
import type { JobEvent, JobKind, Progress } from './events.ts';

export type JobState = 'running' | 'cancelling' | 'done' | 'failed' | 'cancelled';

/** A job as a person sees it: everything its events have said so far, and what follows from them. */
export interface JobView {
  readonly id: string;
  readonly kind: JobKind;
  readonly title: string;
  readonly target?: { kind: 'fractal'; id: string };
  readonly state: JobState;
  readonly phase?: string;
  /** Phases in their order, with the time each began (ms since the epoch). */
  readonly phases: readonly { name: string; at: number }[];
  readonly progress: Progress;
  /** Part done, 0 to 1; absent where no total is known. */
  readonly fraction?: number;
  /** Smoothed speeds of the current phase, per second. */
  readonly rows_per_second?: number;
  readonly bytes_per_second?: number;
  /** Estimated time left, ms; absent where nothing can be said honestly. */
  readonly eta_ms?: number;
  /** Times in ms since the epoch, from the events' own stamps. */
  readonly started_at: number;
  readonly ended_at?: number;
  /** Set while the job waits before another try. `until` is ms since the epoch. */
  readonly waiting?: { attempt: number; until: number; reason: string };
  readonly retries: number;
  readonly warnings: readonly string[];
  /** How many warnings came in all: only the first ones are kept. */
  readonly warning_count: number;
  readonly result?: Record<string, unknown>;
  readonly error?: ErrorReport;
}

export interface JobStore {
  /** Folds one event in. Cheap: nothing is copied until something is published. */
  apply(event: JobEvent): void;
  /** Notes that a cancel was asked for, until the job's own end says how it went. */
  markCancelling(job: string): void;
  /** The jobs, newest first. The same array until something is published. */
  snapshot(): readonly JobView[];
  /** Calls the listener after each publication. Returns the way to stop that. */
  subscribe(listener: () => void): () => void;
  /** Forgets listeners and timers. */
  close(): void;
}

export interface JobStoreOptions {
  /** Shortest time between two publications, ms; the end of a job does not wait. */
  interval_ms?: number;
  /** How many jobs are kept; the oldest ended ones are dropped first. */
  capacity?: number;
  now?: () => number;
}

const WARNINGS_KEPT = 100;
const PHASES_KEPT = 100;
const SMOOTHING_MS = 4_000;
const SAMPLE_MS = 250;

/** Speed of one counter, smoothed so that the eye can follow it. */
interface Meter {
  count: number;
  at: number;
  rate?: number;
}

type Draft = { -readonly [Key in keyof JobView]: JobView[Key] } & {
  phases: { name: string; at: number }[];
  warnings: string[];
};

interface Entry {
  job: Draft;
  rows?: Meter;
  bytes?: Meter;
  view?: JobView;
}

function measure(meter: Meter | undefined, count: number | undefined, at: number): Meter | undefined {
  if (count === undefined) return meter;
  if (meter === undefined || count < meter.count) return { count, at };
  const span = at - meter.at;
  if (span < SAMPLE_MS) return meter;
  const fresh = ((count - meter.count) * 1000) / span;
  const weight = meter.rate === undefined ? 1 : 1 - Math.exp(-span / SMOOTHING_MS);
  return { count, at, rate: (meter.rate ?? 0) * (1 - weight) + fresh * weight };
}

function fractionOf({ rows, total_rows, bytes_in, total_bytes }: Progress): number | undefined {
  if (rows !== undefined && total_rows) return Math.min(1, rows / total_rows);
  if (bytes_in !== undefined && total_bytes) return Math.min(1, bytes_in / total_bytes);
  return undefined;
}

function etaOf(entry: Entry): number | undefined {
  const { rows, total_rows, bytes_in, total_bytes } = entry.job.progress;
  if (entry.job.waiting) return undefined;
  if (rows !== undefined && total_rows) return timeLeft(total_rows - rows, entry.rows?.rate);
  if (bytes_in !== undefined && total_bytes) return timeLeft(total_bytes - bytes_in, entry.bytes?.rate);
  return undefined;
}

function timeLeft(left: number, rate: number | undefined): number | undefined {
  return rate && left > 0 ? Math.round((left / rate) * 1000) : undefined;
}

function newEntry(id: string, at: number): Entry {
  return {
    job: {
      id,
      kind: 'backup',
      title: id,
      state: 'running',
      phases: [],
      progress: {},
      started_at: at,
      retries: 0,
      warnings: [],
      warning_count: 0,
    },
  };
}

function end(entry: Entry, state: JobState, at: number): void {
  entry.job.state = state;
  entry.job.ended_at = at;
  entry.job.waiting = undefined;
}

function noteProgress(entry: Entry, event: Extract<JobEvent, { event: 'job:progress' }>, at: number): void {
  const { event: _, job: __, time: ___, ...progress } = event;
  entry.job.progress = { ...entry.job.progress, ...progress };
  entry.job.waiting = undefined;
  entry.rows = measure(entry.rows, progress.rows, at);
  entry.bytes = measure(entry.bytes, progress.bytes_in, at);
}

function notePhase(entry: Entry, phase: string, at: number): void {
  entry.job.phase = phase;
  entry.job.waiting = undefined;
  if (entry.job.phases.length < PHASES_KEPT) entry.job.phases.push({ name: phase, at });
  // What one phase does in a second says nothing of the next.
  entry.rows = undefined;
  entry.bytes = undefined;
}

function fold(entry: Entry, event: JobEvent, at: number, now: number): void {
  const { job } = entry;
  switch (event.event) {
    case 'job:started':
      Object.assign(job, { kind: event.kind, title: event.title, target: event.target, started_at: at });
      return;
    case 'job:phase':
      notePhase(entry, event.phase, at);
      return;
    case 'job:progress':
      noteProgress(entry, event, at);
      return;
    case 'job:retry':
      job.retries += 1;
      job.waiting = { attempt: event.attempt, until: now + event.wait_ms, reason: event.reason };
      return;
    case 'job:warning':
      job.warning_count += 1;
      if (job.warnings.length < WARNINGS_KEPT) job.warnings.push(event.message);
      return;
    case 'job:done':
      job.result = event.result;
      end(entry, 'done', at);
      return;
    case 'job:failed':
    case 'job:cancelled':
      job.error = event.error;
      end(entry, event.event === 'job:failed' ? 'failed' : 'cancelled', at);
  }
}

function viewOf(entry: Entry): JobView {
  const { job } = entry;
  const running = job.ended_at === undefined;
  return {
    ...job,
    phases: [...job.phases],
    warnings: [...job.warnings],
    fraction: job.state === 'done' ? 1 : fractionOf(job.progress),
    rows_per_second: running ? entry.rows?.rate : undefined,
    bytes_per_second: running ? entry.bytes?.rate : undefined,
    eta_ms: running ? etaOf(entry) : undefined,
  };
}

/**
 * Folds the events of all jobs into one snapshot for screens.
 *
 * However many events come, listeners are called at most once an interval; the end of a job is published at once.
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

  function makeRoom(): void {
    for (const [id, entry] of entries) {
      if (entries.size < capacity) return;
      if (entry.job.ended_at !== undefined) entries.delete(id);
    }
  }

  function entryOf(id: string, at: number): Entry {
    const known = entries.get(id);
    if (known) return known;
    makeRoom();
    const entry = newEntry(id, at);
    entries.set(id, entry);
    return entry;
  }

  return {
    apply(event) {
      const stamp = Date.parse(event.time);
      const at = Number.isNaN(stamp) ? now() : stamp;
      const entry = entryOf(event.job, at);
      // A job ends once; whatever comes late must not bring it back to life.
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
