import type { LineInput } from '../text/line-input.ts';
import type { Recall } from '../view/types.ts';
import type { Preferences } from './preferences.ts';

/** What is remembered of each kind of input; confirmations are never. */
export type HistoryName = 'filter' | 'search' | 'time';

const MAX_ENTRIES = 50;
const MAX_LENGTH = 500;

function entriesOf(preferences: Preferences, name: HistoryName): string[] {
  const saved = preferences.get(`history.${name}`);
  return Array.isArray(saved) ? saved.filter((text) => typeof text === 'string' && text !== '') : [];
}

/** Remembers a text that was entered, as the newest one. */
export function remember(preferences: Preferences, name: HistoryName, text: string): void {
  if (text.trim() === '' || text.length > MAX_LENGTH) return;
  const others = entriesOf(preferences, name).filter((entry) => entry !== text);
  preferences.set(`history.${name}`, [...others, text].slice(-MAX_ENTRIES));
}

/** An older or newer text in place of the current one; after the newest one, what had been typed. */
export function recall(
  preferences: Preferences,
  name: HistoryName,
  { text, recalled }: LineInput & { recalled?: Recall },
  direction: 'older' | 'newer',
): (LineInput & { recalled?: Recall }) | undefined {
  const entries = entriesOf(preferences, name);
  const place = (recalled?.place ?? entries.length) + (direction === 'older' ? -1 : 1);
  const draft = recalled?.draft ?? text;
  if (place < 0 || place > entries.length) return undefined;
  if (place === entries.length) return { text: draft, recalled: undefined };
  return { text: entries[place] ?? '', recalled: { place, draft } };
}
