import type { SuspendTerminal } from 'ink';

/** Ctrl-Z and Ctrl-L: handing the terminal over, and taking it back with a fresh frame. */
export interface Suspension {
  open(suspend: SuspendTerminal): void;
  suspend(): void;
  repaint(): void;
  /** The process goes on after a stop, ours or someone else's. */
  continued(): void;
}

/** Stops the whole process group: a wrapper that kept running would keep the shell waiting. */
export function stopSelf(): void {
  process.kill(0, 'SIGSTOP');
}

/** Suspends by `stop`, comes back when the process is continued. */
export function suspension(stop: () => void): Suspension {
  let hand: SuspendTerminal | undefined;
  let busy = false;
  let wake: (() => void) | undefined;

  async function handOver(meanwhile: () => void | Promise<void>): Promise<void> {
    if (!hand || busy) return;
    busy = true;
    try {
      await hand(meanwhile);
    } finally {
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

  const repaint = () => void handOver(() => {});
  return {
    open(suspend) {
      hand = suspend;
    },
    suspend: () => void handOver(stopped),
    repaint,
    continued() {
      if (!wake) return repaint();
      wake();
      wake = undefined;
    },
  };
}
