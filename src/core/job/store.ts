import type { ErrorReport } from '../contract/errors.ts';
import type { JobDescription, JobEvent, Progress } from '../contract/events.ts';
import type { JobOwner } from '../ports/job-launcher.ts';

export type JobState = 'running' | 'cancelling' | 'done' | 'failed' | 'cancelled';

/** Result of one item of a job. */
export interface JobItem {
  item: string;
  ok: boolean;
  message: string;
  error?: ErrorReport;
}

/** A line of the log of a job. */
export interface JobLogLine {
  /** Ms since the epoch. */
  at: number;
  level: 'info' | 'good' | 'warn' | 'error';
  text: string;
}

/** What a job had done at a time (ms since the epoch). */
export interface ProgressPoint {
  at: number;
  rows?: number;
  bytes_in?: number;
}

/** State of a job, derived from its events. */
export interface JobView {
  readonly id: string;
  readonly kind: string;
  readonly title: string;
  readonly target?: { kind: 'fractal'; id: string };
  /** Who started it, and where it runs. */
  readonly by?: JobOwner;
  readonly state: JobState;
  readonly phase?: string;
  /** Phases in order, with start times (ms since the epoch). */
  readonly phases: readonly { name: string; at: number }[];
  readonly progress: Progress;
  /** Fraction done, 0 to 1; absent if the total is unknown. */
  readonly fraction?: number;
  /** Smoothed rates of the current phase, per second. */
  readonly rows_per_second?: number;
  readonly bytes_per_second?: number;
  /** Estimated time left, ms; absent if there is no basis for an estimate. */
  readonly eta_ms?: number;
  /** From the event timestamps, ms since the epoch. */
  readonly started_at: number;
  readonly ended_at?: number;
  /** Set while the job waits before a retry. `until` is ms since the epoch. */
  readonly waiting?: { attempt: number; until: number; reason: string };
  readonly retries: number;
  readonly warnings: readonly string[];
  /** Total number of warnings; only the first ones are kept. */
  readonly warning_count: number;
  /** Results of the newest items, in order; failures are kept in preference to successes. */
  readonly items: readonly JobItem[];
  readonly item_count: number;
  readonly failed_count: number;
  /** Start, phases, retries, warnings, failed items and end, in order: the newest ones. */
  readonly log: readonly JobLogLine[];
  /** Progress over the whole time, thinned out. */
  readonly points: readonly ProgressPoint[];
  readonly result?: Record<string, unknown>;
  readonly error?: ErrorReport;
}

const WARNINGS_KEPT = 100;
const PHASES_KEPT = 100;
const ITEMS_KEPT = 200;
const LOG_KEPT = 300;
const POINTS_KEPT = 128;
const POINT_MS = 1_000;
const SMOOTHING_MS = 4_000;
const SAMPLE_MS = 250;

/** Smoothed rate of one counter. */
interface RateMeter {
  count: number;
  at: number;
  rate?: number;
}

type Draft = { -readonly [Key in keyof JobView]: JobView[Key] } & {
  phases: { name: string; at: number }[];
  warnings: string[];
  items: JobItem[];
  log: JobLogLine[];
  points: ProgressPoint[];
};

/** Mutable state of a job, and the view published last. */
export interface Entry {
  job: Draft;
  rows?: RateMeter;
  bytes?: RateMeter;
  view?: JobView;
}

export interface JobStore {
  /** Adds a job whose process is still starting: its first event may take a moment. */
  add(job: JobDescription & { id: string }): void;
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
    add({ id, kind, title, target }) {
      if (entries.has(id)) return;
      const entry = entryOf(id, now());
      Object.assign(entry.job, { kind, title, target });
      changed(entry, true);
    },
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

/** A job of which only an id and a time are known. */
export function newEntry(id: string, at: number): Entry {
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
      items: [],
      item_count: 0,
      failed_count: 0,
      log: [],
      points: [],
    },
  };
}

/** Applies one event. `at` is the time of the event, `now` the local time, both ms since the epoch. */
export function fold(entry: Entry, event: JobEvent, at: number, now: number): void {
  const { job } = entry;
  const line = logLine(event);
  if (line && job.log.push({ at, ...line }) > LOG_KEPT) job.log.shift();
  switch (event.event) {
    case 'job:started':
      Object.assign(job, {
        kind: event.kind,
        title: event.title,
        target: event.target,
        by: event.by,
        started_at: at,
      });
      return;
    case 'job:phase':
      applyPhase(entry, event.phase, at);
      return;
    case 'job:progress':
      applyProgress(entry, event, at);
      return;
    case 'job:retry':
      job.retries += 1;
      job.waiting = { attempt: event.attempt, until: now + event.wait_ms, reason: event.reason };
      return;
    case 'job:warning':
      job.warning_count += 1;
      if (job.warnings.length < WARNINGS_KEPT) job.warnings.push(event.message);
      return;
    case 'job:item':
      applyItem(entry, event);
      return;
    case 'job:done':
      job.result = event.result as Record<string, unknown>;
      end(entry, 'done', at);
      return;
    case 'job:failed':
    case 'job:cancelled':
      job.error = event.error;
      end(entry, event.event === 'job:failed' ? 'failed' : 'cancelled', at);
  }
}

function logLine(event: JobEvent): Omit<JobLogLine, 'at'> | undefined {
  switch (event.event) {
    case 'job:started':
      return { level: 'info', text: 'Started' };
    case 'job:phase':
      return { level: 'info', text: event.phase };
    case 'job:retry':
      return { level: 'warn', text: `Attempt ${event.attempt} failed: ${event.reason}` };
    case 'job:warning':
      return { level: 'warn', text: event.message };
    case 'job:item':
      return event.ok ? undefined : { level: 'error', text: `${event.item}: ${event.message}` };
    case 'job:progress':
      return undefined;
    case 'job:done':
      return { level: 'good', text: 'Done' };
    case 'job:failed':
      return { level: 'error', text: event.error.message };
    case 'job:cancelled':
      return { level: 'warn', text: event.error.message };
  }
}

function applyPhase(entry: Entry, phase: string, at: number): void {
  entry.job.phase = phase;
  entry.job.waiting = undefined;
  if (entry.job.phases.length < PHASES_KEPT) entry.job.phases.push({ name: phase, at });
  // Rates of one phase do not apply to the next.
  entry.rows = undefined;
  entry.bytes = undefined;
}

function applyProgress(entry: Entry, event: Extract<JobEvent, { event: 'job:progress' }>, at: number): void {
  const { event: _, job: __, time: ___, ...progress } = event;
  entry.job.progress = { ...entry.job.progress, ...progress };
  entry.job.waiting = undefined;
  addPoint(entry.job.points, { at, rows: progress.rows, bytes_in: progress.bytes_in });
  entry.rows = measure(entry.rows, progress.rows, at);
  entry.bytes = measure(entry.bytes, progress.bytes_in, at);
}

/** Adds a point, or replaces the last one if it is too close; of too many, every second one is dropped. */
function addPoint(points: ProgressPoint[], point: ProgressPoint): void {
  if (point.rows === undefined && point.bytes_in === undefined) return;
  const [first, before] = [points[0] ?? point, points.at(-2)];
  const apart = Math.max(POINT_MS, (point.at - first.at) / POINTS_KEPT);
  // The newest point always counts.
  if (before && point.at - before.at < apart) points.pop();
  points.push(point);
  if (points.length > POINTS_KEPT) {
    const kept = points.filter((_, index) => index % 2 === 0 || index === points.length - 1);
    points.splice(0, points.length, ...kept);
  }
}

function measure(meter: RateMeter | undefined, count: number | undefined, at: number): RateMeter | undefined {
  if (count === undefined) return meter;
  if (meter === undefined || count < meter.count) return { count, at };
  const span = at - meter.at;
  if (span < SAMPLE_MS) return meter;
  const current = ((count - meter.count) * 1000) / span;
  const weight = meter.rate === undefined ? 1 : 1 - Math.exp(-span / SMOOTHING_MS);
  return { count, at, rate: (meter.rate ?? 0) * (1 - weight) + current * weight };
}

/** The oldest success makes room for a new item, or else the oldest failure. */
function applyItem(
  { job }: Entry,
  { item, ok, message, error }: Extract<JobEvent, { event: 'job:item' }>,
): void {
  job.item_count += 1;
  if (!ok) job.failed_count += 1;
  if (job.items.length >= ITEMS_KEPT) {
    const succeeded = job.items.findIndex((one) => one.ok);
    if (succeeded < 0 && ok) return;
    job.items.splice(Math.max(0, succeeded), 1);
  }
  job.items.push({ item, ok, message, error });
}

function end(entry: Entry, state: JobState, at: number): void {
  entry.job.state = state;
  entry.job.ended_at = at;
  entry.job.waiting = undefined;
}

/** An immutable snapshot of the job. */
export function viewOf(entry: Entry): JobView {
  const { job } = entry;
  const running = job.ended_at === undefined;
  return {
    ...job,
    phases: [...job.phases],
    warnings: [...job.warnings],
    items: [...job.items],
    log: [...job.log],
    points: [...job.points],
    fraction: job.state === 'done' ? 1 : fractionOf(job.progress),
    rows_per_second: running ? entry.rows?.rate : undefined,
    bytes_per_second: running ? entry.bytes?.rate : undefined,
    eta_ms: running ? etaOf(entry) : undefined,
  };
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
