import {
  type Coverage,
  createJobStore,
  type Engine,
  type FileReport,
  type JobHandle,
  type JobRequest,
  type JobStore,
} from '../../core/index.ts';
import type { Symbols } from '../text/symbols.ts';
import { readableTitle } from '../view/jobs.ts';
import { coverageSubject } from '../view/pages/coverage.ts';
import type { Resource, Severity, Snapshot } from '../view/types.ts';
import { type Data, loadData } from './data.ts';
import { followJobs } from './job-notifications.ts';
import { createShownCache, type Query } from './load-cache.ts';
import { createLoader } from './loader.ts';
import { noPreferences, type Preferences, withSavedSorts } from './preferences.ts';
import { createQueue, type Queue } from './queue.ts';
import { type Action, initialUi, reduce } from './reducer.ts';
import { type Browsing, createBrowsing } from './rows/browser.ts';
import { createStrips } from './strips.ts';
import { createWizard, type Wizard } from './wizard/wizard.ts';

/** The console without its views: its state, the engine, and everything that keys can do to them. */
export interface Session {
  readonly engine: Engine;
  readonly jobs: JobStore;
  readonly data: Data;
  readonly browsing: Browsing;
  readonly queue: Queue;
  readonly wizard: Wizard;
  /** Starts a job, and shows it at once: its process may take a moment to start. */
  startJob(request: JobRequest): JobHandle;
  readonly preferences: Preferences;
  /** Applies saved preferences, and saves changes to them from now on. */
  applyPreferences(preferences: Preferences): void;
  readonly terminal: TerminalControls;
  /** Aborted when the user leaves: nothing may be started after that. */
  readonly ended: AbortSignal;
  snapshot(): Snapshot;
  subscribe(listener: () => void): () => void;
  dispatch(action: Action): void;
  /** Notifies the user: in the log and, unless `quiet`, on the message line. */
  notify(severity: Severity, text: string, options?: { hint?: string; quiet?: boolean }): void;
  /** Sets the status of rows that a job works on, by id; undefined clears it. */
  setBusy(ids: readonly string[], status: string | undefined): void;
  /** Reloads everything that is shown. */
  refresh(): void;
  resize(columns: number, rows: number): void;
  /** Subscribes to the engine. Call it before the first key can arrive. */
  start(): void;
  /** Loads the data now and periodically. */
  load(): void;
  /** Leaves the console and restores the terminal. */
  leave(): void;
  close(): void;
}

/** What the session can do to the terminal. */
export interface TerminalControls {
  /** Writes an escape sequence that does not change the screen. */
  write(text: string): void;
  repaint(): void;
  suspend(): void;
  leave(): void;
}

export interface SessionOptions {
  engine: Engine;
  terminal: TerminalControls;
  symbols: Symbols;
  read_only: boolean;
  columns: number;
  rows: number;
}

const TICK_MS = 1_000;
const BUSY_TICK_MS = 250;
const REFRESH_MS = 15_000;
const MESSAGE_MS: Readonly<Record<Severity, number>> = {
  info: 5_000,
  good: 8_000,
  warn: 10_000,
  error: 20_000,
};

const LABELS: Readonly<Record<Resource, string>> = {
  health: 'the health status',
  fractals: 'fractals',
  archives: 'archives',
  groups: 'archive groups',
  backups: 'backups',
  checks: 'the results of earlier checks',
  orphans: 'orphans',
};

/** Creates a session. It does not call the engine before `start`. */
export function createSession(options: SessionOptions): Session {
  const { engine, symbols, terminal } = options;
  const jobs = createJobStore();
  const listeners = new Set<() => void>();
  const stops: (() => void)[] = [];
  const end = new AbortController();
  let preferences = noPreferences();
  let ui = initialUi();
  let size = { columns: options.columns, rows: options.rows };
  let current: Snapshot | undefined;
  let entries = 0;
  let busy: ReadonlyMap<string, string> = new Map();
  let timer: NodeJS.Timeout | undefined;

  const data = loadData(engine, (failed) => {
    const error = failed && data.state()[failed].error;
    if (failed && error)
      notify('error', `Cannot load ${LABELS[failed]}: ${error.message}`, { hint: error.hint });
    changed();
  });

  const reports = createShownCache<FileReport>((target, options) => engine.show(target, options), changed);
  const coverage = createShownCache(queryCoverage(engine), changed);
  const strips = createStrips((id, { signal }) => engine.coverage(id, { signal }), changed);
  const browsing = createBrowsing(engine, changed);
  const queue = createQueue(startJob, changed, (from, to) => dispatch({ type: 'renameSubject', from, to }));
  const wizard = createWizard(changed);

  function refresh(...resources: Resource[]): void {
    data.refresh(...resources);
    if (resources.length === 0) reports.refresh();
    if (resources.length > 0 && !resources.includes('archives')) return;
    coverage.refresh();
    strips.refresh();
  }

  function changed(): void {
    current = undefined;
    for (const listener of listeners) listener();
  }

  function snapshot(): Snapshot {
    current ??= {
      installation: engine.installation,
      read_only: options.read_only,
      ui,
      data: data.state(),
      jobs: jobs.snapshot(),
      reports: reports.state(),
      coverage: coverage.state(),
      strips: strips.state(),
      queue: queue.state(),
      busy,
      browse: browsing.state(),
      wizard: wizard.state(),
      ...size,
      now: Date.now(),
      symbols,
    };
    return current;
  }

  function dispatch(action: Action): void {
    ui = reduce(ui, action);
    changed();
  }

  function notify(severity: Severity, text: string, options: { hint?: string; quiet?: boolean } = {}): void {
    entries += 1;
    const entry = { id: String(entries), at: Date.now(), severity, text, hint: options.hint };
    dispatch({ type: 'log', entry, quiet: options.quiet });
  }

  function startJob(request: JobRequest): JobHandle {
    const job = engine.start(request);
    jobs.add({ ...job, title: readableTitle(job.title, data.state().archives.value ?? []) });
    return job;
  }

  function tick(): void {
    if (ui.statusMessage && Date.now() - ui.statusMessage.at > MESSAGE_MS[ui.statusMessage.severity])
      ui = reduce(ui, { type: 'clearMessage' });
    changed();
    const active =
      browsing.state()?.work ||
      wizard.state()?.planning ||
      jobs.snapshot().some((job) => job.ended_at === undefined);
    timer = setTimeout(tick, active ? BUSY_TICK_MS : TICK_MS);
  }

  return {
    engine,
    jobs,
    data,
    browsing,
    queue,
    wizard,
    startJob,
    get preferences() {
      return preferences;
    },
    applyPreferences(saved) {
      preferences = saved;
      ui = withSavedSorts(ui, saved);
      changed();
    },
    terminal,
    ended: end.signal,
    snapshot,
    dispatch,
    notify,
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    setBusy(ids, status) {
      const next = new Map(busy);
      for (const id of ids) status === undefined ? next.delete(id) : next.set(id, status);
      busy = next;
      changed();
    },
    refresh() {
      refresh();
      browsing.retry();
    },
    resize(columns, rows) {
      if (columns === size.columns && rows === size.rows) return;
      size = { columns, rows };
      changed();
    },
    start() {
      const follow = followJobs({ jobs, notify, refresh, archives: () => data.state().archives.value ?? [] });
      stops.push(engine.subscribe(follow), jobs.subscribe(changed));
      listeners.add(createLoader(snapshot, { data, reports, coverage, strips, browsing }));
      tick();
    },
    load() {
      const refresher = setInterval(() => data.refresh(), REFRESH_MS);
      stops.push(() => clearInterval(refresher));
      data.refresh();
    },
    leave() {
      end.abort();
      queue.close();
      terminal.leave();
    },
    close() {
      end.abort();
      clearTimeout(timer);
      for (const stop of stops.splice(0)) stop();
      queue.close();
      data.close();
      reports.close();
      coverage.close();
      strips.close();
      browsing.close();
      wizard.stop();
      jobs.close();
      listeners.clear();
    },
  };
}

/** The coverage query; its target is the subject of the coverage screen. */
export function queryCoverage(engine: Pick<Engine, 'coverage'>): Query<string, Coverage> {
  return (subject, { signal }) => {
    const { fractal_id, unit } = coverageSubject(subject);
    return engine.coverage(fractal_id, { unit, signal });
  };
}
