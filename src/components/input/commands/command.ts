import type { Session } from '../../state/session.ts';
import { rowsAt } from '../../view/lists/index.ts';
import type { ScreenName, Snapshot } from '../../view/types.ts';

/** An action of the user. Keys, footer, help and palette are all generated from these. */
export interface Command {
  /** Unique name, shown in the palette. */
  name: string;
  /** For `Cannot <verb>`, if the name is not a verb. */
  verb?: string;
  keys: readonly string[];
  /** More keys on some screens. */
  more?: { screens: readonly ScreenName[]; keys: readonly string[] };
  /** One or two words for the footer; without it the command is not shown there. */
  label?: string;
  description: string;
  /** Screens that have the command; all if absent. */
  screens?: readonly ScreenName[];
  group: 'here' | 'go' | 'move' | 'general';
  /** Whether it changes data, now that this is selected: then it is not available in a read-only console. */
  changesData: boolean | ((snapshot: Snapshot) => boolean);
  /** Why the command is not available now. */
  disabled?(snapshot: Snapshot): string | undefined;
  /** `key` is the key that was pressed, if it was one. */
  run(session: Session, key?: string): void;
}

/** Screens with a list. */
export const LIST_SCREENS: readonly ScreenName[] = [
  'fractals',
  'health',
  'fractal-archives',
  'group',
  'archives',
  'backups',
  'jobs',
  'log',
  'orphans',
];

/** Screens that are opened from others, and left by the same keys. */
export const RECORD_PAGES: readonly ScreenName[] = [
  'health',
  'fractal-archives',
  'group',
  'fractal',
  'archive',
  'backup',
  'job',
  'entry',
  'orphan',
  'settings',
  'contexts',
  'setup',
];

/** All screens that are opened from others. */
export const PAGES: readonly ScreenName[] = [...RECORD_PAGES, 'rows', 'row', 'wizard', 'coverage'];

/** The reason if the list has no row to act on. */
export function noRow(snapshot: Snapshot): string | undefined {
  return rowsAt(snapshot)?.rows.length ? undefined : 'the list is empty';
}
