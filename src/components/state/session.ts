import {
  BifractError,
  type Coverage,
  createJobStore,
  type Engine,
  type FileReport,
  type JobHandle,
  type JobRequest,
  type JobStore,
} from '../../core/index.ts';
import { type Background, type ColorLevel, type ThemeChoice, themeFor } from '../text/colors.ts';
import { setDisplay } from '../text/display.ts';
import type { Symbols } from '../text/symbols.ts';
import { readableTitle } from '../view/jobs.ts';
import { coverageSubject } from '../view/pages/coverage.ts';
import { DEFAULT_SETTINGS, type SettingKey, type Settings, withSetting } from '../view/settings.ts';
import { isUnusable } from '../view/setup.ts';
import type { Context, Resource, Severity, Snapshot } from '../view/types.ts';
import { forgetContext, rememberContext, savedContexts } from './contexts.ts';
import { type Data, loadData } from './data.ts';
import { followJobs, type NotifyOptions } from './job-notifications.ts';
import { keepCursor } from './lists/cursor.ts';
import { createPreparation } from './lists/preparation.ts';
import { createShownCache, type Query } from './load-cache.ts';
import { createLoader } from './loader.ts';
import {
  noPreferences,
  type Preferences,
  savedSettings,
  withSavedColumns,
  withSavedSorts,
} from './preferences.ts';
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
  /** Changes and saves a setting; ignores a value that is not one of its choices. */
  changeSetting(key: SettingKey, value: unknown): void;
  /** Forgets an installation that was opened. */
  forgetContext(dir: string): void;
  readonly terminal: TerminalControls;
  readonly writeFile: WriteFile;
  /** Aborted when the user leaves: nothing may be started after that. */
  readonly ended: AbortSignal;
  snapshot(): Snapshot;
  subscribe(listener: () => void): () => void;
  dispatch(action: Action): void;
  /** Notifies the user: in the log and, unless `quiet`, on the message line. */
  notify(severity: Severity, text: string, options?: NotifyOptions): void;
  /** Sets the status of rows that a job works on, by id; undefined clears it. */
  setBusy(ids: readonly string[], status: string | undefined): void;
  /** Reloads everything that is shown. */
  refresh(): void;
  resize(columns: number, rows: number): void;
  /** Draws the theme for this background, unless another theme was chosen. */
  setBackground(background: Background): void;
  /** Subscribes to the engine. Call it before the first key can arrive. */
  start(): void;
  /** Loads the data now and periodically. */
  load(): void;
  /** Leaves the console and restores the terminal; `next` is the installation to open then. */
  leave(next?: string): void;
  close(): void;
}

/** Writes a new file that exists only when complete, and returns its path. */
export type WriteFile = (
  name: string,
  content: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
) => Promise<string>;

/** What the session can do to the terminal. */
export interface TerminalControls {
  /** Writes an escape sequence that does not change the screen. */
  write(text: string): void;
  repaint(): void;
  suspend(): void;
  /** Restores the terminal; `next` is the installation to open then. */
  leave(next?: string): void;
}

export interface SessionOptions {
  engine: Engine;
  terminal: TerminalControls;
  writeFile?: WriteFile;
  symbols: Symbols;
  /** What the terminal can draw (default: no colors). */
  colors?: ColorLevel;
  /** The theme of this run; the saved setting if absent. */
  theme?: ThemeChoice;
  /** The background of the terminal, if it is known already. */
  background?: Background;
  read_only: boolean;
  /** Why no other installation can be opened; this one is not remembered then. */
  fixed?: string;
  columns: number;
  rows: number;
}

const TICK_MS = 1_000;
const BUSY_TICK_MS = 250;
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
  resumable: 'what can be resumed',
  history: 'the job history',
};

async function writesNoFile(): Promise<never> {
  throw new BifractError('USAGE', 'This console writes no files');
}

/** Creates a session. It does not call the engine before `start`. */
export function createSession(options: SessionOptions): Session {
  const { engine, symbols, terminal } = options;
  const jobs = createJobStore();
  const listeners = new Set<() => void>();
  const stops: (() => void)[] = [];
  const end = new AbortController();
  setDisplay(DEFAULT_SETTINGS);
  let preferences = noPreferences();
  let settings: Settings = DEFAULT_SETTINGS;
  const opened = Date.now();
  let contexts: readonly Context[] = [];
  let ui = initialUi();
  let { background } = options;
  let size = { columns: options.columns, rows: options.rows };
  let current: Snapshot | undefined;
  let entries = 0;
  let busy: ReadonlyMap<string, string> = new Map();
  let own: ReadonlySet<string> = new Set();
  let timer: NodeJS.Timeout | undefined;
  let refresher: NodeJS.Timeout | undefined;

  const data = loadData(engine, (failed) => {
    rememberThis();
    const error = failed && data.state()[failed].error;
    // Without an installation or a database, all fail for the same reason, which the setup page says once.
    const quiet = isUnusable({ data: data.state() });
    if (failed && error)
      notify('error', `Cannot load ${LABELS[failed]}: ${error.message}`, { hint: error.hint, quiet });
    changed();
  });

  const reports = createShownCache<FileReport>((target, options) => engine.show(target, options), changed);
  const coverage = createShownCache(queryCoverage(engine), changed);
  const strips = createStrips((id, { signal }) => engine.coverage(id, { signal }), changed);
  const browsing = createBrowsing(engine, changed);
  const queue = createQueue(engine, {
    changed,
    failed: (message, hint) => notify('error', message, { hint }),
  });
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
      settings,
      contexts: { recent: contexts, fixed: options.fixed },
      ui,
      data: data.state(),
      jobs: jobs.snapshot(),
      reports: reports.state(),
      coverage: coverage.state(),
      strips: strips.state(),
      queue: queue.state(),
      own,
      busy,
      browse: browsing.state(),
      wizard: wizard.state(),
      ...size,
      theme: themeFor(options.theme ?? settings.theme, options.colors ?? 'none', background),
      now: Date.now(),
      symbols,
    };
    return current;
  }

  function dispatch(action: Action): void {
    ui = reduce(ui, action);
    changed();
  }

  function notify(severity: Severity, text: string, options: NotifyOptions = {}): void {
    entries += 1;
    const entry = {
      id: options.replaces ?? String(entries),
      at: Date.now(),
      severity,
      text,
      hint: options.hint,
    };
    dispatch({ type: 'log', entry, quiet: options.quiet });
  }

  function startJob(request: JobRequest): JobHandle {
    const job = engine.start(request);
    own = new Set([...own, job.id]);
    jobs.add({ ...job, title: readableTitle(job.title, data.state()) });
    return job;
  }

  function applySettings(chosen: Settings): void {
    settings = chosen;
    setDisplay(settings);
    refreshPeriodically();
    changed();
  }

  function refreshPeriodically(): void {
    clearInterval(refresher);
    if (end.signal.aborted || settings.refresh_s === 0) return;
    refresher = setInterval(() => data.refresh(), settings.refresh_s * 1_000);
  }

  /** Remembers this installation, once it is known to be one and the preferences are open. */
  function rememberThis(): void {
    const { dir } = engine.installation;
    if (options.fixed !== undefined || data.state().health.value === undefined) return;
    if (contexts.some((one) => one.dir === dir && one.at >= opened)) return;
    contexts = rememberContext(preferences, { dir, at: opened });
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
      ui = withSavedColumns(withSavedSorts(ui, saved), saved);
      contexts = savedContexts(saved);
      rememberThis();
      applySettings(savedSettings(saved));
    },
    changeSetting(key, value) {
      applySettings(withSetting(settings, key, value));
      preferences.set(`settings.${key}`, settings[key]);
    },
    forgetContext(dir) {
      contexts = forgetContext(preferences, dir);
      changed();
    },
    terminal,
    writeFile: options.writeFile ?? writesNoFile,
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
    setBackground(found) {
      background = found;
      changed();
    },
    start() {
      const follow = followJobs({ jobs, notify, refresh, data: data.state });
      stops.push(engine.subscribe(follow), jobs.subscribe(changed));
      listeners.add(() => {
        const action = keepCursor(snapshot());
        if (action) dispatch(action);
      });
      const preparation = createPreparation(snapshot);
      listeners.add(preparation.changed);
      stops.push(preparation.close);
      listeners.add(createLoader(snapshot, { data, reports, coverage, strips, browsing }));
      tick();
    },
    load() {
      refreshPeriodically();
      data.refresh();
      queue.start();
    },
    leave(next) {
      end.abort();
      terminal.leave(next);
    },
    close() {
      end.abort();
      clearTimeout(timer);
      clearInterval(refresher);
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
