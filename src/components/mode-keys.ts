import { quitNow } from './hooks/deeds.ts';
import type { Session } from './hooks/session.ts';
import { COMMANDS, commandFor, perform, searchCommands, setFilter } from './keymap.ts';
import { canTake, dialogRoom } from './view/dialog.ts';
import { bodyHeight, isTooSmall } from './view/layout.ts';
import { listStateAt, placeOf } from './view/lists/index.ts';
import { graphemes, sanitize } from './view/sanitize.ts';
import type { DialogOption, DialogState, Mode } from './view/types.ts';

type In<Name extends Mode['name']> = Extract<Mode, { name: Name }>;

const KEYS: Mode = { name: 'keys' };
const SEEN_MS = 1_500;
const ALWAYS = new Set(['ctrl-l', 'ctrl-z']);

function setMode(session: Session, mode: Mode) {
  session.dispatch({ type: 'mode', mode });
}

function choose(session: Session, option: DialogOption) {
  setMode(session, KEYS);
  option.run();
}

const DIALOG_PAGE = 5;

/** Letters go into the word that is asked for, and the items of a long question scroll. */
function dialogText(session: Session, key: string, dialog: DialogState): boolean {
  const { items = [], top = 0, word } = dialog;
  const step = key === 'pgdn' ? DIALOG_PAGE : key === 'pgup' ? -DIALOG_PAGE : undefined;
  if (step !== undefined) {
    const snapshot = session.snapshot();
    const shown = dialogRoom({ columns: snapshot.columns, height: bodyHeight(snapshot) }, dialog);
    const next = Math.max(0, Math.min(items.length - shown, top + step));
    session.dispatch({ type: 'dialog', change: { top: next, typed: dialog.typed } });
    return true;
  }
  const text = word === undefined ? undefined : typed(dialog.typed ?? '', key);
  if (text !== undefined) session.dispatch({ type: 'dialog', change: { top, typed: text } });
  return text !== undefined;
}

/** Enter takes the safe way only; whoever typed the word for the other is told that it was not taken. */
function takeFocused(session: Session, { options, focus, word, typed }: DialogState) {
  const focused = options[focus];
  if (!focused?.safe) return;
  choose(session, focused);
  if (word !== undefined && typed === word) session.say('warn', 'Nothing was done: Enter takes the safe way');
}

function dialogKey(session: Session, key: string, dialog: DialogState) {
  const named = dialog.options.find((option) => option.key === key);
  const danger = dialog.options.some((option) => !option.safe);
  if (named && canTake(named, dialog)) return choose(session, named);
  if (key === 'enter') return takeFocused(session, dialog);
  if (key === 'esc') return setMode(session, KEYS);
  if (key === 'ctrl-c') return quitNow(session);
  if (dialogText(session, key, dialog)) return;
  if (key === 'q' && danger) return setMode(session, KEYS);
  if (key === 'tab' || key === 'right' || key === 'down') session.dispatch({ type: 'focus', by: 1 });
  if (key === 'left' || key === 'up') session.dispatch({ type: 'focus', by: -1 });
}

/** The text after a key of a one-line input; undefined where the key is none of its business. */
function typed(text: string, key: string): string | undefined {
  if (key === 'backspace') return graphemes(text).slice(0, -1).join('');
  if (key === 'ctrl-u') return '';
  if (key === 'ctrl-w') return text.replace(/\S*\s*$/, '');
  // A key with a name is no character.
  return Array.from(key).length > 1 || sanitize(key) === '' ? undefined : text + key;
}

function filterKey(session: Session, key: string, { before }: In<'filter'>) {
  if (key === 'enter' || key === 'down' || key === 'up') return setMode(session, KEYS);
  if (key === 'esc') {
    // The first Esc takes back what was typed; where nothing was, the whole filter goes.
    setFilter(session, '');
    return setMode(session, KEYS);
  }
  if (key === 'ctrl-c') {
    setFilter(session, before);
    return setMode(session, KEYS);
  }
  const snapshot = session.snapshot();
  const text = typed(listStateAt(snapshot, placeOf(snapshot)).filter, key);
  if (text !== undefined) setFilter(session, text);
}

function paletteKey(session: Session, key: string, mode: In<'palette'>) {
  const found = searchCommands(session.snapshot(), mode.query);
  const step = key === 'down' || key === 'tab' ? 1 : key === 'up' ? -1 : 0;
  if (key === 'esc' || key === 'ctrl-c') return setMode(session, KEYS);
  if (key === 'enter') {
    const command = found[mode.index];
    setMode(session, KEYS);
    if (command) perform(session, command);
    return;
  }
  if (step !== 0) {
    const index = Math.max(0, Math.min(found.length - 1, mode.index + step));
    return setMode(session, { ...mode, index });
  }
  const query = typed(mode.query, key);
  if (query !== undefined) setMode(session, { ...mode, query, index: 0 });
}

function promptKey(session: Session, key: string, { prompt }: In<'prompt'>) {
  if (key === 'esc' || key === 'ctrl-c') return setMode(session, KEYS);
  if (key === 'enter') {
    setMode(session, KEYS);
    const trouble = prompt.take(prompt.text);
    if (trouble !== undefined) setMode(session, { name: 'prompt', prompt: { ...prompt, trouble } });
    return;
  }
  const text = typed(prompt.text, key);
  if (text !== undefined)
    setMode(session, { name: 'prompt', prompt: { ...prompt, text, trouble: undefined } });
}

const HELP_MOVES: Readonly<Record<string, number>> = { down: 1, j: 1, up: -1, k: -1, g: -1e6, home: -1e6 };

function helpKey(session: Session, key: string, mode: In<'help'>) {
  const page = bodyHeight(session.snapshot()) - 1;
  const step = HELP_MOVES[key] ?? (key === 'pgdn' || key === ' ' ? page : key === 'pgup' ? -page : undefined);
  if (step !== undefined) return setMode(session, { ...mode, top: Math.max(0, mode.top + step) });
  if (key === 'esc' || key === '?' || key === 'q' || key === 'enter' || key === 'ctrl-c')
    setMode(session, KEYS);
}

function screenKey(session: Session, key: string) {
  const snapshot = session.snapshot();
  const command = commandFor(snapshot, key);
  if (command) return perform(session, command);
  const { name } = placeOf(snapshot);
  const known = COMMANDS.find((one) => one.keys.includes(key) && (!one.at || one.at.includes(name)));
  if (known?.changes && snapshot.read_only)
    session.say('warn', `Cannot ${known.name}: this console is read-only`);
}

/** What a question is about must be on the screen for an answer to it. */
function smallDialogKey(session: Session, key: string, dialog: DialogState) {
  if (dialog.items === undefined) dialogKey(session, key, dialog);
  else if (key === 'esc' || key === 'q') setMode(session, KEYS);
}

function smallKey(session: Session, key: string) {
  const { mode } = session.snapshot().ui;
  if (mode.name === 'dialog') smallDialogKey(session, key, mode.dialog);
  else if (key === 'q' || key === 'ctrl-c') screenKey(session, key);
}

/** An error was on the screen long enough to be seen when this key was pressed. */
function foldFlash(session: Session) {
  const { ui, now } = session.snapshot();
  if (ui.flash && !ui.flash.folded && now - ui.flash.at > SEEN_MS) session.dispatch({ type: 'fold' });
}

/** Hands a key to whoever has the focus. */
export function route(session: Session, key: string) {
  foldFlash(session);
  const snapshot = session.snapshot();
  const { mode } = snapshot.ui;
  if (ALWAYS.has(key)) return screenKey(session, key);
  if (isTooSmall(snapshot)) return smallKey(session, key);
  switch (mode.name) {
    case 'keys':
      return screenKey(session, key);
    case 'dialog':
      return dialogKey(session, key, mode.dialog);
    case 'filter':
      return filterKey(session, key, mode);
    case 'palette':
      return paletteKey(session, key, mode);
    case 'prompt':
      return promptKey(session, key, mode);
    case 'help':
      return helpKey(session, key, mode);
  }
}
