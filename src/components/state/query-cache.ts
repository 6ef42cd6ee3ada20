import { asBifractError } from '../../core/index.ts';
import type { Loaded } from '../view/types.ts';

/** Results of one engine query, by target: loaded when shown, kept until `refresh`. */
export interface QueryCache<T> {
  state(): ReadonlyMap<string, Loaded<T>>;
  /** Sets the target that is on the screen, if any, and loads it unless it is cached. */
  show(target: string | undefined): void;
  /** Reloads the target on the screen and drops the others. */
  refresh(): void;
  close(): void;
}

/** Loads the result for a target; the target is the cache key. */
export type Query<T> = (target: string, options: { signal: AbortSignal }) => Promise<T>;

export function createQueryCache<T>(query: Query<T>, changed: () => void): QueryCache<T> {
  const end = new AbortController();
  let state: ReadonlyMap<string, Loaded<T>> = new Map();
  let shown: string | undefined;

  function put(target: string, loaded: Loaded<T>): void {
    if (end.signal.aborted) return;
    state = new Map(state).set(target, loaded);
    changed();
  }

  async function load(target: string): Promise<void> {
    const { value } = state.get(target) ?? {};
    put(target, { value, loading: true });
    try {
      put(target, {
        value: await query(target, { signal: end.signal }),
        at: Date.now(),
        loading: false,
      });
    } catch (error) {
      put(target, { error: asBifractError(error).report(), loading: false });
    }
  }

  return {
    state: () => state,
    show(target) {
      shown = target;
      if (target !== undefined && !state.has(target)) void load(target);
    },
    refresh() {
      const current = shown === undefined ? undefined : state.get(shown);
      state = new Map(shown !== undefined && current ? [[shown, current]] : []);
      if (shown !== undefined && !current?.loading) void load(shown);
    },
    close: () => end.abort(),
  };
}
