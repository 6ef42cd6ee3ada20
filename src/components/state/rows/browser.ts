import { type ArchiveBrowser, asBifractError, type BrowsedRow, type Engine } from '../../../core/index.ts';
import type { BrowseState, BrowseWork, RowLine, Search } from '../../view/types.ts';
import { countMatches } from './match-count.ts';
import { createRowWindow, type RowWindow } from './window.ts';

/** The archive that is open for browsing: one at a time. */
export interface Browsing {
  state(): BrowseState | undefined;
  /** Opens an archive in place of the current one; undefined closes it. */
  open(target: string | undefined): void;
  request: RowWindow['request'];
  /** Sets the row that is shown in full, if any, and loads it. */
  detail(index: number | undefined): void;
  /** Sets the search; its matches are counted once `count` is called. */
  searchFor(search: Search | undefined): void;
  /** Counts the matches of the search, unless that was done already. */
  count(): void;
  /** Sets the row that the search went to. */
  found(row: RowLine): void;
  /** Runs a slow task in place of the current one. Returns undefined if it was stopped; throws what the task throws. */
  run<T>(
    what: string,
    task: (browser: ArchiveBrowser, signal: AbortSignal) => Promise<T>,
  ): Promise<T | undefined>;
  /** Reads one row in full; leaves the running task alone. */
  row(index: number): Promise<BrowsedRow | undefined>;
  /** Stops the running task; false if there is none. */
  stop(): boolean;
  retry(): void;
  close(): void;
}

interface OpenArchive {
  target: string;
  end: AbortController;
  browser?: ArchiveBrowser;
  window?: RowWindow;
  patch: Pick<BrowseState, 'opening' | 'error' | 'work' | 'search' | 'count' | 'found' | 'detail'>;
  task?: AbortController;
  counting?: AbortController;
}

export function createBrowsing(engine: Pick<Engine, 'browse'>, changed: () => void): Browsing {
  let open: OpenArchive | undefined;
  let state: BrowseState | undefined;

  function publish(): void {
    state = open && {
      target: open.target,
      ...open.patch,
      report: open.browser?.report,
      rows: open.browser?.rows ?? 0,
      complete: open.browser?.complete ?? false,
      chunks: open.window?.state() ?? new Map(),
    };
    changed();
  }

  function patch(archive: OpenArchive, change: Partial<OpenArchive['patch']>): void {
    archive.patch = { ...archive.patch, ...change };
    if (archive === open) publish();
  }

  async function load(archive: OpenArchive): Promise<void> {
    try {
      const browser = await engine.browse(archive.target, { signal: archive.end.signal });
      if (archive.end.signal.aborted) return void browser.close().catch(() => {});
      archive.browser = browser;
      const update = () => {
        if (archive === open) publish();
      };
      archive.window = createRowWindow((from, count, options) => browser.read(from, count, options), update);
      patch(archive, { opening: false });
    } catch (error) {
      if (!archive.end.signal.aborted)
        patch(archive, { opening: false, error: asBifractError(error).report() });
    }
  }

  function closeCurrent(): void {
    open?.end.abort();
    open?.task?.abort();
    open?.counting?.abort();
    open?.window?.close();
    void open?.browser?.close().catch(() => {});
    open = undefined;
  }

  async function loadDetail(archive: OpenArchive, browser: ArchiveBrowser, index: number): Promise<void> {
    const still = () => archive === open && archive.patch.detail?.index === index;
    try {
      const [row] = await browser.read(index, 1, { signal: archive.end.signal });
      if (still()) patch(archive, { detail: { index, row } });
    } catch (error) {
      if (still()) patch(archive, { detail: { index, error: asBifractError(error).report() } });
    }
  }

  async function run<T>(
    what: string,
    task: (browser: ArchiveBrowser, signal: AbortSignal) => Promise<T>,
  ): Promise<T | undefined> {
    const archive = open;
    if (!archive?.browser) return undefined;
    archive.task?.abort();
    const controller = new AbortController();
    archive.task = controller;
    const current: BrowseWork = { description: what, since: Date.now() };
    patch(archive, { work: current });
    try {
      const result = await task(archive.browser, controller.signal);
      return controller.signal.aborted ? undefined : result;
    } catch (error) {
      if (controller.signal.aborted) return undefined;
      throw error;
    } finally {
      if (archive.patch.work === current) patch(archive, { work: undefined });
    }
  }

  return {
    state: () => state,
    open(target) {
      if (target === open?.target) return;
      closeCurrent();
      if (target !== undefined) {
        open = { target, end: new AbortController(), patch: { opening: true } };
        void load(open);
      }
      publish();
    },
    request: (shown, ahead) => open?.window?.request(shown, ahead),
    detail(index) {
      if (!open?.browser || open.patch.detail?.index === index) return;
      patch(open, { detail: index === undefined ? undefined : { index } });
      if (index !== undefined) void loadDetail(open, open.browser, index);
    },
    searchFor(search) {
      if (!open) return;
      open.counting?.abort();
      open.counting = undefined;
      patch(open, { search, count: undefined, found: undefined });
    },
    count() {
      const archive = open;
      const search = archive?.patch.search;
      if (!archive?.browser || !search || archive.counting) return;
      const controller = new AbortController();
      archive.counting = controller;
      const report = (count: BrowseState['count']) => patch(archive, { count });
      void countMatches(archive.browser, search, report, controller.signal);
    },
    found(row) {
      if (open) patch(open, { found: row });
    },
    run,
    async row(index) {
      if (open?.patch.detail?.index === index && open.patch.detail.row) return open.patch.detail.row;
      const rows = await open?.browser?.read(index, 1, { signal: open.end.signal });
      return rows?.[0];
    },
    stop() {
      const working = open?.patch.work !== undefined;
      open?.task?.abort();
      if (open && working) patch(open, { work: undefined });
      return working;
    },
    retry() {
      const target = open?.target;
      if (open?.patch.error && target !== undefined) {
        closeCurrent();
        this.open(target);
      } else {
        open?.window?.retry();
      }
    },
    close: closeCurrent,
  };
}
