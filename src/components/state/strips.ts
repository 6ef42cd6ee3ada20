import type { Coverage } from '../../core/index.ts';
import type { Loaded } from '../view/types.ts';
import { createLoadCache, type Query } from './load-cache.ts';

/** Counting reads an index of all rows of a fractal: not more often than this, unless something changed. */
const FRESH_MS = 10 * 60_000;

/** Coverage of the fractals on the overview: counted one after the other, and only while they are shown. */
export interface Strips {
  state(): ReadonlyMap<string, Loaded<Coverage>>;
  /** Sets the fractals that are on the screen; none while another screen is shown. */
  show(fractal_ids: readonly string[]): void;
  /** Counts again: archives changed, or the user asks for it. */
  refresh(): void;
  close(): void;
}

export function createStrips(query: Query<string, Coverage>, changed: () => void): Strips {
  const cache = createLoadCache(query, () => {
    changed();
    next();
  });
  let shown: readonly string[] = [];
  /** When each was counted last, or tried to. */
  const counted = new Map<string, number>();

  function next(): void {
    const state = cache.state();
    if (shown.some((id) => state.get(id)?.loading)) return;
    const old = Date.now() - FRESH_MS;
    const due = shown.find((id) => (counted.get(id) ?? 0) <= old);
    if (due === undefined) return;
    counted.set(due, Date.now());
    cache.load(due);
  }

  return {
    state: cache.state,
    show(fractal_ids) {
      shown = fractal_ids;
      next();
    },
    refresh() {
      counted.clear();
      next();
    },
    close: cache.close,
  };
}
