import { switchContext } from '../state/context-actions.ts';
import { go } from '../state/navigation.ts';
import type { Session } from '../state/session.ts';
import { keyLabel } from '../view/hints.ts';
import { type Place, searchPlaces } from '../view/places.ts';
import { memo } from '../view/snapshot.ts';
import type { ScreenName, Snapshot } from '../view/types.ts';
import { runCommand, searchCommands } from './keymap.ts';

/** A line of the palette: a command, or a place to jump to. */
export interface PaletteEntry {
  name: string;
  /** The key of a command; empty for a place. */
  key: string;
  description: string;
  /** Why the command is not available now. */
  disabled?: string;
  run(session: Session): void;
}

const SCREENS: Readonly<Record<Exclude<Place['kind'], 'context'>, readonly [ScreenName, ScreenName]>> = {
  fractal: ['fractals', 'fractal-archives'],
  backup: ['backups', 'backup'],
  archive: ['archives', 'archive'],
};

function jump(session: Session, { kind, id }: Place): void {
  if (kind === 'context') {
    switchContext(session, id);
    return;
  }
  const [list, page] = SCREENS[kind];
  go(session, { name: list });
  session.dispatch({ type: 'open', screen: { name: page, subject: id } });
}

/** The entries for a query: commands first, so that data that is loaded meanwhile moves none of them; then places. */
export const paletteEntries = memo((snapshot: Snapshot, query: string): readonly PaletteEntry[] => [
  ...searchCommands(snapshot, query).map((command) => ({
    name: command.name,
    key: keyLabel(command.keys[0] ?? '', snapshot.symbols),
    description: command.description,
    disabled: command.disabled?.(snapshot),
    run: (session: Session) => runCommand(session, command),
  })),
  ...searchPlaces(snapshot, query).map((place) => ({
    name: place.kind,
    key: '',
    description: place.name,
    run: (session: Session) => jump(session, place),
  })),
]);
