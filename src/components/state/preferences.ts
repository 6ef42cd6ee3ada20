import type { Sort, UiState } from '../view/types.ts';
import { reduce } from './reducer.ts';

/** Settings that the console keeps between runs. Implementations must not throw. */
export interface Preferences {
  get(key: string): unknown;
  set(key: string, value: unknown): void;
}

/** Preferences that last for this run only. */
export function noPreferences(): Preferences {
  const values = new Map<string, unknown>();
  return { get: (key) => values.get(key), set: (key, value) => void values.set(key, value) };
}

/** The saved sort order of a list, if it is valid. */
export function savedSort(preferences: Preferences, list: string): Sort | undefined {
  const saved = preferences.get(`sort.${list}`);
  if (typeof saved !== 'object' || saved === null) return undefined;
  const { column, descending } = saved as Partial<Record<keyof Sort, unknown>>;
  return typeof column === 'string' && typeof descending === 'boolean' ? { column, descending } : undefined;
}

export const LISTS = ['fractals', 'archives', 'backups', 'jobs', 'log', 'orphans'];
export function withSavedSorts(ui: UiState, preferences: Preferences): UiState {
  return LISTS.reduce<UiState>((state, key) => {
    const sort = savedSort(preferences, key);
    return sort ? reduce(state, { type: 'sort', key, sort }) : state;
  }, ui);
}
