import type { Key } from 'ink';
import type { Session } from './hooks/session.ts';
import { keysOf, tornKey } from './keys.ts';
import { route } from './mode-keys.ts';
import { graphemes, sanitize } from './view/sanitize.ts';
import type { DialogOption, Mode } from './view/types.ts';

/** Where all keys go, in the order they came. */
export interface Router {
  /** An input as Ink delivers it. */
  input(input: string, key: Key): void;
  /** A pasted text: it is typed where text is asked for, and never taken for keys. */
  paste(text: string): void;
  /** A frame has been written: what it shows can be answered from now on. */
  drawn(): void;
  close(): void;
}

const TORN_MS = 40;
/** A word that confirms is typed by hand: dialogs take no paste. */
const TYPING: ReadonlySet<Mode['name']> = new Set(['filter', 'palette', 'prompt']);

/** Takes apart what arrives, one key at a time, each seeing what the one before it did. */
export function createRouter(session: Session): Router {
  let heldEsc: NodeJS.Timeout | undefined;
  /** The options that the user has had before the eyes: what was typed before that is no answer to them. */
  let seen: readonly DialogOption[] | undefined;
  let arming: NodeJS.Immediate | undefined;

  function asked(): readonly DialogOption[] | undefined {
    const { mode } = session.snapshot().ui;
    return mode.name === 'dialog' ? mode.dialog.options : undefined;
  }

  function press(key: string): void {
    const options = asked();
    if (options === undefined || options === seen) route(session, key);
  }

  function releaseEsc(): void {
    if (heldEsc === undefined) return;
    clearTimeout(heldEsc);
    heldEsc = undefined;
    press('esc');
  }

  function rejoin(input: string): string {
    const torn = heldEsc === undefined ? undefined : tornKey(input);
    if (!torn) {
      releaseEsc();
      return input;
    }
    clearTimeout(heldEsc);
    heldEsc = undefined;
    press(torn.key);
    return input.slice(torn.length);
  }

  return {
    input(raw, key) {
      const plain = !key.ctrl && !key.meta;
      const input = plain && raw !== '' ? rejoin(raw) : raw;
      if (input === '' && raw !== '') return;
      if (raw === '' || !plain) releaseEsc();
      const names = keysOf(input, key);
      for (const [index, name] of names.entries()) {
        // An Esc that ends an input may be the head of a torn arrow key.
        if (name === 'esc' && index === names.length - 1) heldEsc = setTimeout(releaseEsc, TORN_MS);
        else press(name);
      }
    },
    paste(text) {
      const { mode } = session.snapshot().ui;
      if (!TYPING.has(mode.name)) {
        session.say('info', 'A pasted text is not taken for keys: press / or : first');
        return;
      }
      for (const part of graphemes(sanitize(text.split('\n')[0] ?? ''))) press(part);
    },
    drawn() {
      const options = asked();
      if (options === undefined || options === seen) return;
      // Keys of the same read are still on their way when the frame is out.
      clearImmediate(arming);
      arming = setImmediate(() => {
        seen = options;
      });
    },
    close() {
      clearTimeout(heldEsc);
      clearImmediate(arming);
    },
  };
}
