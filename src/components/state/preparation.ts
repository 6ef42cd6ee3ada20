import { listAt } from '../view/lists/index.ts';
import { currentScreen } from '../view/snapshot.ts';
import type { Snapshot } from '../view/types.ts';

/** Between two turns of the event loop, so that a key never waits longer. */
const SLICE_MS = 8;

/** Prepares the filter of the list on the screen while nothing else happens. Call `changed` after every change. */
export function createPreparation(now: () => Snapshot): { changed(): void; close(): void } {
  let next: NodeJS.Immediate | undefined;

  function run(): void {
    next = undefined;
    const snapshot = now();
    const screen = currentScreen(snapshot);
    try {
      const done = listAt(screen)?.list.prepare(snapshot, screen, SLICE_MS) ?? true;
      if (!done) changed();
    } catch {
      // A text that cannot be made fails where it is drawn.
    }
  }

  function changed(): void {
    next ??= setImmediate(run);
  }

  return { changed, close: () => clearImmediate(next) };
}
