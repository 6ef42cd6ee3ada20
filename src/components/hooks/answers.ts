import { asBifractError } from '../../core/index.ts';
import type { Loaded } from '../view/types.ts';

/** Answers of the engine: asked for when they are to be shown, kept until something may have changed. */
export interface Answers<T> {
  state(): ReadonlyMap<string, Loaded<T>>;
  /** What is shown now, if anything. */
  want(target: string | undefined): void;
  /** Asks again for what is shown, forgets the rest. */
  renew(): void;
  close(): void;
}

/** How one is asked for: the name says what of, and stands for it everywhere. */
export type Ask<T> = (target: string, options: { signal: AbortSignal }) => Promise<T>;

export function createAnswers<T>(ask: Ask<T>, changed: () => void): Answers<T> {
  const end = new AbortController();
  let state: ReadonlyMap<string, Loaded<T>> = new Map();
  let wanted: string | undefined;

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
        value: await ask(target, { signal: end.signal }),
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
