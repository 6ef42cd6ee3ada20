import { type Background, backgroundOf } from '../text/colors.ts';
import type { InputEvent } from './events.ts';

/** Asks the terminal for the color of its background. */
export interface BackgroundQuery {
  /** Asks once; call it when the keyboard is open. */
  ask(): void;
  /** Takes the replies out of what the terminal sent. */
  receive(events: readonly InputEvent[]): void;
  /** Resolves once no reply can arrive any more: the next program would take a late one for keys. */
  answered(): Promise<void>;
}

/**
 * OSC 11, and the query for the attributes of the terminal: every terminal answers that one, and answers in order. When
 * its reply has come, the color has come before it or never will.
 */
const QUERY = '\x1b]11;?\x1b\\\x1b[c';

/** How long replies are waited for, from the query on. */
const LIMIT_MS = 1_000;

/** A query that is sent with `write`; `found` gets the background. */
export function createBackgroundQuery(
  write: (text: string) => void,
  found: (background: Background) => void,
): BackgroundQuery {
  let asked = false;
  let answered = Promise.resolve();
  let end = () => {};

  return {
    ask() {
      if (asked) return;
      asked = true;
      answered = new Promise((resolve) => {
        const timer = setTimeout(resolve, LIMIT_MS).unref();
        end = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      write(QUERY);
    },
    receive(events) {
      for (const event of events) {
        if (event.type !== 'reply') continue;
        if (event.kind === 'color' && event.of === 'background') found(backgroundOf(event.color));
        if (event.kind === 'attributes' && event.level === 1) end();
      }
    },
    answered: () => answered,
  };
}
