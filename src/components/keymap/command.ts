import type { Session } from '../hooks/session.ts';
import { rowsAt } from '../view/lists/index.ts';
import type { PlaceName, Snapshot } from '../view/types.ts';

/** Something the user can do: the one table that keys, footer, help and palette are made from. */
export interface Command {
  /** What the palette calls it. */
  name: string;
  keys: readonly string[];
  /** One word or two for the footer; without it, the command is not shown there. */
  label?: string;
  description: string;
  /** Where it makes sense; everywhere without it. */
  at?: readonly PlaceName[];
  group: 'here' | 'go' | 'move' | 'general';
  /** Changes something: absent from a read-only console. */
  changes?: true;
  /** Why it cannot be done now. */
  disabled?(snapshot: Snapshot): string | undefined;
  run(session: Session): void;
}

/** Places that list records. */
export const LISTS: readonly PlaceName[] = [
  'fractals',
  'fractal-archives',
  'group',
  'archives',
  'backups',
  'jobs',
  'log',
  'orphans',
];

/** Why nothing can be done with a row. */
export function noRow(snapshot: Snapshot): string | undefined {
  return rowsAt(snapshot)?.rows.length ? undefined : 'the list is empty';
}
