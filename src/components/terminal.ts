import type { SuspendTerminal } from 'ink';
import type { Keyboard } from './input/keyboard.ts';

/** Suspends the console (Ctrl-Z) and redraws it (Ctrl-L). */
export interface Suspension {
  open(suspend: SuspendTerminal): void;
  suspend(): void;
  repaint(): void;
  /** Call it when the process continues after a stop, however it was stopped. */
  continued(): void;
}

/** Stops the process group; if a wrapper kept running, the shell would not get its prompt back. */
export function stopSelf(): void {
  process.kill(0, 'SIGSTOP');
}

/** Suspends with `stop` and resumes when the process continues. The keyboard and the terminal are `released` in between. */
export function suspension(
  keyboard: Keyboard,
  stop: () => void,
  released: { begin(): void; end(): void },
): Suspension {
  let suspendTerminal: SuspendTerminal | undefined;
  let busy = false;
  let wake: (() => void) | undefined;

  async function release(during: () => void | Promise<void>): Promise<void> {
    if (!suspendTerminal || busy) return;
    busy = true;
    released.begin();
    try {
      await suspendTerminal(async () => {
        keyboard.close();
        await during();
        keyboard.open();
      });
    } finally {
      released.end();
      busy = false;
    }
  }

  function stopped(): Promise<void> {
    const continued = new Promise<void>((resolve) => {
      wake = resolve;
    });
    stop();
    return continued;
  }

  const repaint = () => void release(() => {});
  return {
    open(suspend) {
      suspendTerminal = suspend;
    },
    suspend: () => void release(stopped),
    repaint,
    continued() {
      if (!wake) return repaint();
      wake();
      wake = undefined;
    },
  };
}
