import type { ListState, Screen, Snapshot } from './types.ts';

/** Fingerprint of the key, as last read: another process may rotate the key while the console is open. */
export function keyIdOf({ data, installation }: Snapshot): string | null {
  const { value } = data.health;
  return value ? value.key.key_id : installation.key_id;
}

/** Caches the last result of a function; recomputes if an argument differs (by `Object.is`) from the last call. */
export function memo<Arguments extends readonly unknown[], Result>(
  compute: (...args: Arguments) => Result,
): (...args: Arguments) => Result {
  let last: { args: Arguments; result: Result } | undefined;
  return (...args) => {
    if (last?.args.every((arg, index) => Object.is(arg, args[index]))) return last.result;
    last = { args, result: compute(...args) };
    return last.result;
  };
}

export const NEW_LIST: ListState = { index: 0, top: 0, left: 0, filter: '', selected: new Set() };

/** The screen the user is on. */
export function currentScreen(snapshot: Snapshot): Screen {
  return snapshot.ui.stack.at(-1) ?? snapshot.ui.stack[0];
}

/** The key of a screen's list state. */
export function listKey(screen: Screen): string {
  return screen.subject === undefined ? screen.name : `${screen.name}:${screen.subject}`;
}

export function listStateAt(snapshot: Snapshot, screen: Screen): ListState {
  return snapshot.ui.lists[listKey(screen)] ?? NEW_LIST;
}
