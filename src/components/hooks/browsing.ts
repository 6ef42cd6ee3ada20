import { type ArchiveBrowser, asBifractError, type BrowsedRow, type Engine } from '../../core/index.ts';
import type { BrowseState, BrowseWork, Search } from '../view/file-types.ts';
import { createRowWindow, type RowWindow } from './row-window.ts';

/** The archive that is open for reading: one at a time. */
export interface Browsing {
  state(): BrowseState | undefined;
  /** The archive to be open now; undefined closes. */
  look(target: string | undefined): void;
  want: RowWindow['want'];
  /** The row to be shown in full now, if any. */
  detail(index: number | undefined): void;
  searchFor(search: Search | undefined): void;
  /**
   * Does something that takes its time, in place of what was being done. Undefined when it was stopped; throws
   * what the work throws.
   */
  work<T>(
    what: string,
    work: (browser: ArchiveBrowser, signal: AbortSignal) => Promise<T>,
  ): Promise<T | undefined>;
  /** One row in full, whatever else is being done. */
  row(index: number): Promise<BrowsedRow | undefined>;
  /** Stops such work; false where there is none. */
  stop(): boolean;
  retry(): void;
  close(): void;
}

interface Open {
  target: string;
  end: AbortController;
  browser?: ArchiveBrowser;
  window?: RowWindow;
  patch: Pick<BrowseState, 'opening' | 'error' | 'work' | 'search' | 'detail'>;
  stopWork?: AbortController;
}

export function createBrowsing(engine: Pick<Engine, 'browse'>, changed: () => void): Browsing {
  let open: Open | undefined;
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

  function patch(one: Open, change: Partial<Open['patch']>): void {
    one.patch = { ...one.patch, ...change };
    if (one === open) publish();
  }

  async function begin(one: Open): Promise<void> {
    try {
      const browser = await engine.browse(one.target, { signal: one.end.signal });
      if (one.end.signal.aborted) return void browser.close().catch(() => {});
      one.browser = browser;
      const update = () => {
        if (one === open) publish();
      };
      one.window = createRowWindow((from, count, options) => browser.read(from, count, options), update);
      patch(one, { opening: false });
    } catch (error) {
      if (!one.end.signal.aborted) patch(one, { opening: false, error: asBifractError(error).report() });
    }
  }

  function shut(): void {
    open?.end.abort();
    open?.stopWork?.abort();
    open?.window?.close();
    void open?.browser?.close().catch(() => {});
    open = undefined;
  }

  async function loadDetail(one: Open, browser: ArchiveBrowser, index: number): Promise<void> {
    const still = () => one === open && one.patch.detail?.index === index;
    try {
      const [row] = await browser.read(index, 1, { signal: one.end.signal });
      if (still()) patch(one, { detail: { index, row } });
    } catch (error) {
      if (still()) patch(one, { detail: { index, error: asBifractError(error).report() } });
    }
  }

  async function work<T>(
    what: string,
    doIt: (browser: ArchiveBrowser, signal: AbortSignal) => Promise<T>,
  ): Promise<T | undefined> {
    const one = open;
    if (!one?.browser) return undefined;
    one.stopWork?.abort();
    const controller = new AbortController();
    one.stopWork = controller;
    const current: BrowseWork = { what, since: Date.now() };
    patch(one, { work: current });
    try {
      const result = await doIt(one.browser, controller.signal);
      return controller.signal.aborted ? undefined : result;
    } catch (error) {
      if (controller.signal.aborted) return undefined;
      throw error;
    } finally {
      if (one.patch.work === current) patch(one, { work: undefined });
    }
  }

  return {
    state: () => state,
    look(target) {
      if (target === open?.target) return;
      shut();
      if (target !== undefined) {
        open = { target, end: new AbortController(), patch: { opening: true } };
        void begin(open);
      }
      publish();
    },
    want: (shown, ahead) => open?.window?.want(shown, ahead),
    detail(index) {
      if (!open?.browser || open.patch.detail?.index === index) return;
      patch(open, { detail: index === undefined ? undefined : { index } });
      if (index !== undefined) void loadDetail(open, open.browser, index);
    },
    searchFor(search) {
      if (open) patch(open, { search });
    },
    work,
    async row(index) {
      if (open?.patch.detail?.index === index && open.patch.detail.row) return open.patch.detail.row;
      const rows = await open?.browser?.read(index, 1, { signal: open.end.signal });
      return rows?.[0];
    },
    stop() {
      const working = open?.patch.work !== undefined;
      open?.stopWork?.abort();
      if (open && working) patch(open, { work: undefined });
      return working;
    },
    retry() {
      const target = open?.target;
      if (open?.patch.error && target !== undefined) {
        shut();
        this.look(target);
      } else {
        open?.window?.retry();
      }
    },
    close: shut,
  };
}
