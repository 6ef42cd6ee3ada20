import { createJobStore, type FileReport } from '../../core/index.ts';
import { type Action, initialUi, reduce } from '../reducer.ts';
import type { Resource, Severity, Snapshot, UiState } from '../view/types.ts';
import { createAnswers } from './answers.ts';
import { createAttendance } from './attend.ts';
import { createBrowsing } from './browsing.ts';
import { askCoverage } from './coverage.ts';
import { loadData } from './data.ts';
import { followJobs } from './news.ts';
import { keptSort, noPreferences, type Preferences } from './preferences.ts';
import { createQueue } from './queue.ts';
import type { Session, SessionOptions } from './session-type.ts';
import { createVerdicts } from './verdicts.ts';
import { createWizard } from './wizard.ts';

export type { Hands, Session, SessionOptions } from './session-type.ts';

const TICK_MS = 1_000;
const LIVELY_TICK_MS = 250;
const REFRESH_MS = 15_000;
const LISTS = ['fractals', 'archives', 'backups', 'jobs', 'log', 'orphans'];
const FLASH_MS: Readonly<Record<Severity, number>> = {
  info: 5_000,
  good: 8_000,
  warn: 10_000,
  error: 20_000,
};
const WHAT: Readonly<Record<Resource, string>> = {
  health: 'The health of the installation',
  fractals: 'The fractals',
  archives: 'The archives',
  groups: 'The groups of archives',
  backups: 'The backups',
  orphans: 'The orphans',
};

function withKeptSorts(ui: UiState, preferences: Preferences): UiState {
  return LISTS.reduce<UiState>((state, key) => {
    const sort = keptSort(preferences, key);
    return sort ? reduce(state, { type: 'sort', key, sort }) : state;
  }, ui);
}

/** Makes a session. Nothing is asked of the engine before `start`. */
export function createSession(options: SessionOptions): Session {
  const { engine, glyphs, hands } = options;
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
  let tick: NodeJS.Timeout | undefined;

  const data = loadData(engine, (failed) => {
    const error = failed && data.state()[failed].error;
    if (failed && error) say('error', `${WHAT[failed]}: ${error.message}`, { hint: error.hint });
    changed();
  });

  const reports = createAnswers<FileReport>((target, asked) => engine.show(target, asked), changed);
  const coverage = createAnswers(askCoverage(engine), changed);
  const browsing = createBrowsing(engine, changed);
  const queue = createQueue(engine, changed);
  const verdicts = createVerdicts();
  const wizard = createWizard(changed);

  function refresh(...resources: Resource[]): void {
    data.refresh(...resources);
    if (resources.length === 0) reports.renew();
    if (resources.length === 0 || resources.includes('archives')) coverage.renew();
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
      verdicts: verdicts.state(),
      queue: queue.state(),
      busy,
      browse: browsing.state(),
      wizard: wizard.state(),
      ...size,
      now: Date.now(),
      glyphs,
    };
    return current;
  }

  function dispatch(action: Action): void {
    ui = reduce(ui, action);
    changed();
  }

  function say(severity: Severity, text: string, told: { hint?: string; quiet?: boolean } = {}): void {
    entries += 1;
    const entry = { id: String(entries), at: Date.now(), severity, text, hint: told.hint };
    dispatch({ type: 'log', entry, quiet: told.quiet });
  }

  function beat(): void {
    if (ui.flash && Date.now() - ui.flash.at > FLASH_MS[ui.flash.severity])
      ui = reduce(ui, { type: 'unflash' });
    changed();
    const lively =
      browsing.state()?.work ||
      wizard.state()?.planning ||
      jobs.snapshot().some((job) => job.ended_at === undefined);
    tick = setTimeout(beat, lively ? LIVELY_TICK_MS : TICK_MS);
  }

  return {
    engine,
    jobs,
    data,
    browsing,
    queue,
    wizard,
    get preferences() {
      return preferences;
    },
    prefer(kept) {
      preferences = kept;
      ui = withKeptSorts(ui, kept);
      changed();
    },
    hands,
    ended: end.signal,
    snapshot,
    dispatch,
    say,
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    occupy(ids, doing) {
      const next = new Map(busy);
      for (const id of ids) doing === undefined ? next.delete(id) : next.set(id, doing);
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
      const follow = followJobs({ jobs, say, refresh, archives: () => data.state().archives.value ?? [] });
      stops.push(engine.subscribe(verdicts.apply), engine.subscribe(follow), jobs.subscribe(changed));
      listeners.add(createAttendance(snapshot, { data, reports, coverage, browsing }));
      beat();
    },
    load() {
      const refresher = setInterval(() => data.refresh(), REFRESH_MS);
      stops.push(() => clearInterval(refresher));
      data.refresh();
    },
    leave() {
      end.abort();
      queue.close();
      hands.leave();
    },
    close() {
      end.abort();
      clearTimeout(tick);
      for (const stop of stops.splice(0)) stop();
      queue.close();
      data.close();
      reports.close();
      coverage.close();
      browsing.close();
      wizard.stop();
      jobs.close();
      listeners.clear();
    },
  };
}
