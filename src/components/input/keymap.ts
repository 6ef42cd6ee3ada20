import type { Session } from '../state/session.ts';
import { listAt } from '../view/lists/index.ts';
import { currentScreen, listKey } from '../view/snapshot.ts';
import type { Snapshot } from '../view/types.ts';
import type { Command } from './commands/command.ts';
import { CONTEXTS, OPEN_CONTEXTS } from './commands/contexts.ts';
import { COVERAGE } from './commands/coverage.ts';
import { FILES, MORE_FILES, STORAGE } from './commands/files.ts';
import { ALWAYS, GENERAL, MOVES, SCREENS, TERMINAL } from './commands/general.ts';
import { JOBS, OPENING, SELECTING, SORTING } from './commands/lists.ts';
import { ROWS } from './commands/rows.ts';
import { OPEN_SETTINGS, SETTINGS } from './commands/settings.ts';
import { RESTORING, WIZARD } from './commands/wizard.ts';

/** All commands, in the order of the footer and the help. */
export const COMMANDS: readonly Command[] = [
  ...SETTINGS,
  ...CONTEXTS,
  ...OPENING,
  ...ROWS,
  ...WIZARD,
  ...JOBS,
  ...COVERAGE,
  ...FILES,
  ...RESTORING,
  ...STORAGE,
  ...SELECTING,
  ...ALWAYS,
  ...MORE_FILES,
  ...SORTING,
  ...GENERAL,
  ...SCREENS,
  ...OPEN_SETTINGS,
  ...OPEN_CONTEXTS,
  ...MOVES,
  ...TERMINAL,
];

/**
 * The commands of the current screen, without those that change data in a read-only console. Their keys are those on
 * this screen: a key of the screen is taken from the commands that all screens have.
 */
export function commandsAt(snapshot: Snapshot): readonly Command[] {
  const { name } = currentScreen(snapshot);
  const here = COMMANDS.filter(
    (command) =>
      (!command.screens || command.screens.includes(name)) &&
      !(snapshot.read_only && changesData(snapshot, command)),
  );
  const more = (command: Command) => (command.more?.screens.includes(name) ? command.more.keys : []);
  const own = new Set(
    here.flatMap((command) => [...(command.screens ? command.keys : []), ...more(command)]),
  );
  return here.map((command) => {
    const keys = command.screens ? command.keys : command.keys.filter((key) => !own.has(key));
    return { ...command, keys: [...keys, ...more(command)] };
  });
}

/** Whether a command changes data, now that this is selected. */
export function changesData(snapshot: Snapshot, { changesData: changes }: Command): boolean {
  return typeof changes === 'function' ? changes(snapshot) : changes;
}

/** The command of a key on the current screen. */
export function commandFor(snapshot: Snapshot, key: string): Command | undefined {
  return commandsAt(snapshot).find((command) => command.keys.includes(key));
}

/** The commands whose name or description contains all words of a query. */
export function searchCommands(snapshot: Snapshot, query: string): readonly Command[] {
  const words = query.toLowerCase().split(' ').filter(Boolean);
  const text = (command: Command) => `${command.name} ${command.description}`.toLowerCase();
  const found = commandsAt(snapshot).filter(
    (command) => command.group !== 'move' && words.every((word) => text(command).includes(word)),
  );
  // Commands whose name starts with the query come first.
  const rank = (command: Command) => Number(!command.name.startsWith(query.toLowerCase()));
  return found.toSorted((a, b) => rank(a) - rank(b));
}

/** The message for a command that cannot run now. */
export function notAvailable({ name, verb = name }: Command, why: string): string {
  return `Cannot ${verb}: ${why}`;
}

/** Runs a command, by its key or by name, or reports why it is not available. */
export function runCommand(session: Session, command: Command, key?: string): void {
  const why = command.disabled?.(session.snapshot());
  if (why) session.notify('warn', notAvailable(command, why));
  else command.run(session, key);
}

/** Sets the filter of the current list. */
export function setFilter(session: Session, filter: string): void {
  const screen = currentScreen(session.snapshot());
  if (listAt(screen)) session.dispatch({ type: 'filter', key: listKey(screen), filter });
}
