import { asBifractError } from '../../core/index.ts';
import type { Loaded } from '../view/types.ts';

/** Loads the result of a query of the engine. */
export type Query<Key, T> = (key: Key, options: { signal: AbortSignal }) => Promise<T>;

/** Results of queries by key, loaded in the background; the last good value is kept along with the last error. */
export interface LoadCache<Key, T> {
  state(): ReadonlyMap<Key, Loaded<T>>;
  /** Loads a result. Each is loaded once at a time; a call during a load makes another load follow. */
  load(key: Key): void;
  /** Drops the results for all other keys. */
  keepOnly(key: Key | undefined): void;
  close(): void;
}

/** `changed` gets the key if its result is an error that the previous result was not. */
export function createLoadCache<Key, T>(
  query: Query<Key, T>,
  changed: (failed?: Key) => void,
): LoadCache<Key, T> {
  const end = new AbortController();
  const again = new Set<Key>();
  let state: ReadonlyMap<Key, Loaded<T>> = new Map();

  function patch(key: Key, change: Partial<Loaded<T>>, isNewError = false): void {
    if (end.signal.aborted) return;
    state = new Map(state).set(key, { loading: false, ...state.get(key), ...change });
    changed(isNewError ? key : undefined);
  }

  async function run(key: Key): Promise<void> {
    patch(key, { loading: true });
    try {
      const value = await query(key, { signal: end.signal });
      patch(key, { value, at: Date.now(), error: undefined, loading: false });
    } catch (error) {
      const report = asBifractError(error).report();
      patch(key, { error: report, loading: false }, report.message !== state.get(key)?.error?.message);
    }
    if (again.delete(key)) load(key);
  }

  function load(key: Key): void {
    if (end.signal.aborted) return;
    if (state.get(key)?.loading) again.add(key);
    else void run(key);
  }

  return {
    state: () => state,
    load,
    keepOnly(key) {
      state = new Map([...state].filter(([one]) => one === key));
    },
    close: () => end.abort(),
  };
}

/** The results of one query for what is on the screen: loaded when first shown, kept until `refresh`. */
export interface ShownCache<T> {
  state(): ReadonlyMap<string, Loaded<T>>;
  /** Sets the target that is on the screen, if any, and loads it unless it is cached. */
  show(target: string | undefined): void;
  /** Reloads the target on the screen and drops the others. */
  refresh(): void;
  close(): void;
}

export function createShownCache<T>(query: Query<string, T>, changed: () => void): ShownCache<T> {
  const { state, load, keepOnly, close } = createLoadCache(query, () => changed());
  let shown: string | undefined;
  return {
    state,
    show(target) {
      shown = target;
      if (target !== undefined && !state().has(target)) load(target);
    },
    refresh() {
      keepOnly(shown);
      if (shown !== undefined) load(shown);
    },
    close,
  };
}
