import type { Session } from './hooks/session.ts';
import { COMMANDS, type Command } from './keymap/commands.ts';
import { listAt, listKey, placeOf } from './view/lists/index.ts';
import type { Snapshot } from './view/types.ts';

export { COMMANDS, type Command } from './keymap/commands.ts';

/** The commands of the place the user is at; what changes something only where that is allowed. */
export function commandsAt(snapshot: Snapshot): readonly Command[] {
  const { name } = placeOf(snapshot);
  return COMMANDS.filter(
    (command) => (!command.at || command.at.includes(name)) && !(command.changes && snapshot.read_only),
  );
}

/** What a key does here. */
export function commandFor(snapshot: Snapshot, key: string): Command | undefined {
  return commandsAt(snapshot).find((command) => command.keys.includes(key));
}

/** The commands that hold all words of a query in name or description. */
export function searchCommands(snapshot: Snapshot, query: string): readonly Command[] {
  const words = query.toLowerCase().split(' ').filter(Boolean);
  const named = (command: Command) => `${command.name} ${command.description}`.toLowerCase();
  const found = commandsAt(snapshot).filter(
    (command) => command.group !== 'move' && words.every((word) => named(command).includes(word)),
  );
  // Who types a name wants that command, whatever else mentions it.
  const first = (command: Command) => Number(!command.name.startsWith(query.toLowerCase()));
  return found.toSorted((a, b) => first(a) - first(b));
}

/** Runs a command, or says why not. */
export function perform(session: Session, command: Command): void {
  const why = command.disabled?.(session.snapshot());
  if (why) session.say('warn', `Cannot ${command.name}: ${why}`);
  else command.run(session);
}

/** Changes the filter of the list the user is at. */
export function setFilter(session: Session, filter: string): void {
  const place = placeOf(session.snapshot());
  if (listAt(place)) session.dispatch({ type: 'filter', key: listKey(place), filter });
}
