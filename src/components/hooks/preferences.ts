import type { Sort } from '../view/types.ts';

/** What the console remembers between two runs. Whatever keeps it must not throw. */
export interface Preferences {
  get(key: string): unknown;
  set(key: string, value: unknown): void;
}

/** Remembers nothing beyond this run. */
export function noPreferences(): Preferences {
  const kept = new Map<string, unknown>();
  return { get: (key) => kept.get(key), set: (key, value) => void kept.set(key, value) };
}

/** The order that was chosen for a list, if what was kept is one. */
export function keptSort(preferences: Preferences, list: string): Sort | undefined {
  const kept = preferences.get(`sort.${list}`);
  if (typeof kept !== 'object' || kept === null) return undefined;
  const { column, descending } = kept as Partial<Record<keyof Sort, unknown>>;
  return typeof column === 'string' && typeof descending === 'boolean' ? { column, descending } : undefined;
}
