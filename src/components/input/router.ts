import type { Key } from 'ink';
import { graphemes, sanitize } from '../../core/text/sanitize.ts';
import type { Session } from '../state/session.ts';
import { isTooSmall } from '../text/layout.ts';
import { currentScreen } from '../view/snapshot.ts';
import type { DialogOption, Mode } from '../view/types.ts';
import { COMMANDS, changesData, commandFor, notAvailable, runCommand } from './keymap.ts';
import { keysOf, splitEscapeKey } from './keys.ts';
import { modeKey, smallDialogKey } from './mode-keys.ts';

/** Receives all keys, in order of arrival. */
export interface Router {
  /** One input of Ink. */
  input(input: string, key: Key): void;
  /** Inserts pasted text into a text input; it is never interpreted as keys. */
  paste(text: string): void;
  /** Call it after each frame: the dialog in it accepts keys from now on. */
  rendered(): void;
  close(): void;
}

const SPLIT_ESC_MS = 40;
/** Time to read a message. */
const READ_MS = 1_500;
/** Keys that work in every mode. */
const ALWAYS = new Set(['ctrl-l', 'ctrl-z']);

/** Modes that accept pasted text; confirmation words in dialogs must be typed. */
const TYPING: ReadonlySet<Mode['name']> = new Set(['filter', 'palette', 'prompt']);

/** Splits input into keys and routes them one by one, each on the state that the previous one left. */
export function createRouter(session: Session): Router {
  let pendingEsc: NodeJS.Timeout | undefined;
  /** Options of the dialog that has been drawn; keys typed before that are dropped. */
  let drawn: readonly DialogOption[] | undefined;
  let arming: NodeJS.Immediate | undefined;

  function dialogOptions(): readonly DialogOption[] | undefined {
    const { mode } = session.snapshot().ui;
    return mode.name === 'dialog' ? mode.dialog.options : undefined;
  }

  function press(key: string): void {
    const options = dialogOptions();
    if (options === undefined || options === drawn) route(session, key);
  }

  function flushEsc(): void {
    if (pendingEsc === undefined) return;
    clearTimeout(pendingEsc);
    pendingEsc = undefined;
    press('esc');
  }

  function joinSplitKey(input: string): string {
    const split = pendingEsc === undefined ? undefined : splitEscapeKey(input);
    if (!split) {
      flushEsc();
      return input;
    }
    clearTimeout(pendingEsc);
    pendingEsc = undefined;
    press(split.key);
    return input.slice(split.length);
  }

  return {
    input(raw, key) {
      const plain = !key.ctrl && !key.meta;
      const input = plain && raw !== '' ? joinSplitKey(raw) : raw;
      if (input === '' && raw !== '') return;
      if (raw === '' || !plain) flushEsc();
      const names = keysOf(input, key);
      for (const [index, name] of names.entries()) {
        // A final Esc may be the start of an escape sequence.
        if (name === 'esc' && index === names.length - 1) pendingEsc = setTimeout(flushEsc, SPLIT_ESC_MS);
        else press(name);
      }
    },
    paste(text) {
      const { mode } = session.snapshot().ui;
      if (!TYPING.has(mode.name)) {
        session.notify('info', 'Paste ignored: press / or : first');
        return;
      }
      for (const part of graphemes(sanitize(text.split('\n')[0] ?? ''))) press(part);
    },
    rendered() {
      const options = dialogOptions();
      if (options === undefined || options === drawn) return;
      // Keys of the same read are still being delivered when the frame has been written.
      clearImmediate(arming);
      arming = setImmediate(() => {
        drawn = options;
      });
    },
    close() {
      clearTimeout(pendingEsc);
      clearImmediate(arming);
    },
  };
}

/** Sends a key to the current mode. */
function route(session: Session, key: string) {
  foldMessage(session);
  const snapshot = session.snapshot();
  const { mode } = snapshot.ui;
  if (ALWAYS.has(key)) return screenKey(session, key);
  if (isTooSmall(snapshot)) return smallKey(session, key);
  if (mode.name === 'keys') return screenKey(session, key);
  modeKey(session, key, mode);
}

/** Folds a message that was on the screen long enough to be read. */
function foldMessage(session: Session) {
  const { ui, now } = session.snapshot();
  if (ui.statusMessage && !ui.statusMessage.collapsed && now - ui.statusMessage.at > READ_MS)
    session.dispatch({ type: 'foldMessage' });
}

function smallKey(session: Session, key: string) {
  const { mode } = session.snapshot().ui;
  if (mode.name === 'dialog') smallDialogKey(session, key, mode);
  else if (key === 'q' || key === 'ctrl-c') screenKey(session, key);
}

function screenKey(session: Session, key: string) {
  const snapshot = session.snapshot();
  const command = commandFor(snapshot, key);
  if (command) return runCommand(session, command);
  const { name } = currentScreen(snapshot);
  const known = COMMANDS.find(
    (one) => one.keys.includes(key) && (!one.screens || one.screens.includes(name)),
  );
  if (known && snapshot.read_only && changesData(snapshot, known))
    session.notify('warn', notAvailable(known, 'the console is read-only'));
  // Else an older message could be taken for the answer.
  else if (snapshot.ui.statusMessage?.collapsed) session.dispatch({ type: 'clearMessage' });
}
