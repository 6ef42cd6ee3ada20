import { DEFAULT_SETTINGS, SETTINGS, type Settings, withSetting } from '../view/settings.ts';
import type { Sort, UiState } from '../view/types.ts';
import { reduce } from './reducer.ts';

/** Values that the console keeps between runs. Implementations must not throw. */
export interface Preferences {
  get(key: string): unknown;
  set(key: string, value: unknown): void;
}

/** Preferences that last for this run only. */
export function noPreferences(): Preferences {
  const values = new Map<string, unknown>();
  return { get: (key) => values.get(key), set: (key, value) => void values.set(key, value) };
}

/** The saved settings; the default for each that is missing or not one of its choices. */
export function savedSettings(preferences: Preferences): Settings {
  return SETTINGS.reduce<Settings>(
    (settings, { key }) => withSetting(settings, key, preferences.get(`settings.${key}`)),
    DEFAULT_SETTINGS,
  );
}

/** The saved sort order of a list, if it is valid. */
export function savedSort(preferences: Preferences, list: string): Sort | undefined {
  const saved = preferences.get(`sort.${list}`);
  if (typeof saved !== 'object' || saved === null) return undefined;
  const { column, descending } = saved as Partial<Record<keyof Sort, unknown>>;
  return typeof column === 'string' && typeof descending === 'boolean' ? { column, descending } : undefined;
}

/** The saved ids of the columns of a list, if they are valid. */
function savedColumns(preferences: Preferences, list: string): readonly string[] | undefined {
  const saved = preferences.get(`columns.${list}`);
  return Array.isArray(saved) && saved.every((id) => typeof id === 'string') ? saved : undefined;
}

const LISTS = ['fractals', 'archives', 'backups', 'jobs', 'log', 'orphans'];
/** Lists of which there are several. */
const LISTS_OF = ['fractal-archives', 'group'];

/** The interface with the saved choice of columns in each list. */
export function withSavedColumns(ui: UiState, preferences: Preferences): UiState {
  return [...LISTS, ...LISTS_OF].reduce<UiState>((state, list) => {
    const ids = savedColumns(preferences, list);
    return ids ? reduce(state, { type: 'columns', list, ids }) : state;
  }, ui);
}

/** The interface with the saved sort order of each list. */
export function withSavedSorts(ui: UiState, preferences: Preferences): UiState {
  return LISTS.reduce<UiState>((state, key) => {
    const sort = savedSort(preferences, key);
    return sort ? reduce(state, { type: 'sort', key, sort }) : state;
  }, ui);
}
