import { asBifractError, type Engine, type FileReport } from '../../core/index.ts';
import type { Loaded } from '../view/types.ts';

/** What files say of themselves: asked for when it is to be shown, kept until something may have changed. */
export interface Reports {
  state(): ReadonlyMap<string, Loaded<FileReport>>;
  /** The file that is shown now, if any. */
  want(target: string | undefined): void;
  /** Asks again for what is shown, forgets the rest. */
  renew(): void;
  close(): void;
}

export function createReports(engine: Pick<Engine, 'show'>, changed: () => void): Reports {
  const end = new AbortController();
  let state: ReadonlyMap<string, Loaded<FileReport>> = new Map();
  let wanted: string | undefined;

  function put(target: string, loaded: Loaded<FileReport>): void {
    if (end.signal.aborted) return;
    state = new Map(state).set(target, loaded);
    changed();
  }

  async function load(target: string): Promise<void> {
    const { value } = state.get(target) ?? {};
    put(target, { value, loading: true });
    try {
      put(target, {
        value: await engine.show(target, { signal: end.signal }),
        at: Date.now(),
        loading: false,
      });
    } catch (error) {
      put(target, { error: asBifractError(error).report(), loading: false });
    }
  }

  return {
    state: () => state,
    want(target) {
      wanted = target;
      if (target !== undefined && !state.has(target)) void load(target);
    },
    renew() {
      const shown = wanted === undefined ? undefined : state.get(wanted);
      state = new Map(wanted !== undefined && shown ? [[wanted, shown]] : []);
      if (wanted !== undefined && !shown?.loading) void load(wanted);
    },
    close: () => end.abort(),
  };
}
