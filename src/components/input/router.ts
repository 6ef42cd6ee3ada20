import { graphemes, sanitize } from '../../core/text/sanitize.ts';
import type { Session } from '../state/session.ts';
import { isTooSmall } from '../text/layout.ts';
import { currentScreen } from '../view/snapshot.ts';
import type { DialogOption, Mode, Snapshot } from '../view/types.ts';
import type { InputEvent } from './events.ts';
import { COMMANDS, changesData, commandFor, notAvailable, runCommand } from './keymap.ts';
import { modeKey, smallDialogKey } from './mode-keys.ts';
import { createMouse } from './mouse.ts';

/** Receives all input, in order of arrival. */
export interface Router {
  /** Handles what arrived together: each key on the state that the previous one left. */
  receive(events: readonly InputEvent[]): void;
  /** Call it after each frame with what it shows: the dialog in it accepts keys from now on. */
  rendered(shown: Snapshot): void;
  close(): void;
}

/** Time to read a message. */
const READ_MS = 1_500;
/** Keys that work in every mode. */
const ALWAYS = new Set(['ctrl-l', 'ctrl-z']);

/** Modes that accept pasted text; confirmation words in dialogs must be typed. */
const TYPING: ReadonlySet<Mode['name']> = new Set(['filter', 'palette', 'prompt']);
/** Most characters of a paste that a text input takes. */
const MAX_PASTED = 1_000;

/** Routes input to whatever has the focus. */
export function createRouter(session: Session): Router {
  /** Options of the dialog that has been drawn; keys typed before that are dropped. */
  let drawn: readonly DialogOption[] | undefined;
  /** What is on the screen. */
  let visible: Snapshot | undefined;
  let arming: NodeJS.Immediate | undefined;

  function press(key: string): void {
    const options = dialogOptions(session.snapshot());
    if (options === undefined || options === drawn) route(session, key);
  }

  /** Inserts the first line of a pasted text into a text input; it is never taken for commands. */
  function paste(text: string): void {
    const { mode } = session.snapshot().ui;
    if (!TYPING.has(mode.name)) {
      session.notify('info', 'Paste ignored: press / or : first');
      return;
    }
    const [line = ''] = text.slice(0, MAX_PASTED).split(/[\r\n]/, 1);
    for (const part of graphemes(sanitize(line))) press(part);
  }

  const mouse = createMouse(session, press);

  return {
    receive(events) {
      for (const event of events) {
        if (event.type === 'key') press(event.name);
        if (event.type === 'paste') paste(event.text);
        if (event.type === 'mouse' && visible) mouse.receive(event, visible);
      }
    },
    rendered(shown) {
      visible = shown;
      const options = dialogOptions(shown);
      if (options === undefined || options === drawn) return;
      // Keys of the same read are still being delivered when the frame has been written.
      clearImmediate(arming);
      arming = setImmediate(() => {
        drawn = options;
      });
    },
    close: () => clearImmediate(arming),
  };
}

function dialogOptions({ ui }: Snapshot): readonly DialogOption[] | undefined {
  return ui.mode.name === 'dialog' ? ui.mode.dialog.options : undefined;
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
  // A page cannot be seen, so there is nothing to go back to.
  else if (key === 'q' || key === 'ctrl-c') screenKey(session, 'ctrl-c');
}

function screenKey(session: Session, key: string) {
  const snapshot = session.snapshot();
  const command = commandFor(snapshot, key);
  if (command) return runCommand(session, command, key);
  const { name } = currentScreen(snapshot);
  const known = COMMANDS.find(
    (one) => one.keys.includes(key) && (!one.screens || one.screens.includes(name)),
  );
  if (known && snapshot.read_only && changesData(snapshot, known))
    session.notify('warn', notAvailable(known, 'the console is read-only'));
  // Else an older message could be taken for the answer.
  else if (snapshot.ui.statusMessage?.collapsed) session.dispatch({ type: 'clearMessage' });
}
