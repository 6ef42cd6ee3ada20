import type { Session } from './state/session.ts';
import type { Snapshot } from './view/types.ts';

/** The snapshots that are drawn: what a key changed at once, everything else a few times a second. */
export interface Frames {
  /** The snapshot to be drawn. */
  snapshot(): Snapshot;
  subscribe(listener: () => void): () => void;
  /** Draws all changes now. Call it after each key. */
  draw(): void;
  close(): void;
}

const FRAME_MS = 1_000 / 12;
/** For a moment after a key, its result is awaited and drawn sooner. */
const HURRY_MS = 250;
const HURRIED_FRAME_MS = 20;

export function createFrames(session: Session): Frames {
  const listeners = new Set<() => void>();
  let current = session.snapshot();
  let timer: NodeJS.Timeout | undefined;
  let drawn = 0;
  let hurryUntil = 0;

  function publish(): void {
    clearTimeout(timer);
    timer = undefined;
    const next = session.snapshot();
    if (next === current) return;
    drawn = performance.now();
    current = next;
    for (const listener of listeners) listener();
  }

  const unsubscribe = session.subscribe(() => {
    const now = performance.now();
    const interval = now < hurryUntil ? HURRIED_FRAME_MS : FRAME_MS;
    timer ??= setTimeout(publish, Math.max(0, drawn + interval - now));
  });

  return {
    snapshot: () => current,
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    draw() {
      hurryUntil = performance.now() + HURRY_MS;
      publish();
    },
    close() {
      clearTimeout(timer);
      unsubscribe();
    },
  };
}
