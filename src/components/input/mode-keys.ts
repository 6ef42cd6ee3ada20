import type { Session } from '../state/session.ts';
import { bodyHeight, isTooSmall } from '../text/layout.ts';
import { editText } from '../text/text.ts';
import { currentScreen, listStateAt } from '../view/snapshot.ts';
import type { Mode } from '../view/types.ts';
import { dialogKey, smallDialogKey } from './dialog-keys.ts';
import { COMMANDS, commandFor, notAvailable, runCommand, searchCommands, setFilter } from './keymap.ts';

type In<Name extends Mode['name']> = Extract<Mode, { name: Name }>;

const KEYS: Mode = { name: 'keys' };

/** Time to read a message. */
const READ_MS = 1_500;
const ALWAYS = new Set(['ctrl-l', 'ctrl-z']);

function setMode(session: Session, mode: Mode) {
  session.dispatch({ type: 'mode', mode });
}

function filterKey(session: Session, key: string, { before }: In<'filter'>) {
  if (key === 'enter' || key === 'down' || key === 'up') return setMode(session, KEYS);
  if (key === 'esc') {
    setFilter(session, '');
    return setMode(session, KEYS);
  }
  if (key === 'ctrl-c') {
    setFilter(session, before);
    return setMode(session, KEYS);
  }
  const snapshot = session.snapshot();
  const text = editText(listStateAt(snapshot, currentScreen(snapshot)).filter, key);
  if (text !== undefined) setFilter(session, text);
}

function paletteKey(session: Session, key: string, mode: In<'palette'>) {
  const found = searchCommands(session.snapshot(), mode.query);
  const step = key === 'down' || key === 'tab' ? 1 : key === 'up' ? -1 : 0;
  if (key === 'esc' || key === 'ctrl-c') return setMode(session, KEYS);
  if (key === 'enter') {
    const command = found[mode.index];
    setMode(session, KEYS);
    if (command) runCommand(session, command);
    return;
  }
  if (step !== 0) {
    const index = Math.max(0, Math.min(found.length - 1, mode.index + step));
    return setMode(session, { ...mode, index });
  }
  const query = editText(mode.query, key);
  if (query !== undefined) setMode(session, { ...mode, query, index: 0 });
}

function promptKey(session: Session, key: string, { prompt }: In<'prompt'>) {
  if (key === 'esc' || key === 'ctrl-c') return setMode(session, KEYS);
  if (key === 'enter') {
    setMode(session, KEYS);
    const trouble = prompt.submit(prompt.text);
    if (trouble !== undefined) setMode(session, { name: 'prompt', prompt: { ...prompt, error: trouble } });
    return;
  }
  const text = editText(prompt.text, key);
  if (text !== undefined) setMode(session, { name: 'prompt', prompt: { ...prompt, text, error: undefined } });
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
  if (command) return runCommand(session, command);
  const { name } = currentScreen(snapshot);
  const known = COMMANDS.find(
    (one) => one.keys.includes(key) && (!one.screens || one.screens.includes(name)),
  );
  if (known?.changesData && snapshot.read_only)
    session.notify('warn', notAvailable(known, 'the console is read-only'));
}

function smallKey(session: Session, key: string) {
  const { mode } = session.snapshot().ui;
  if (mode.name === 'dialog') smallDialogKey(session, key, mode.dialog);
  else if (key === 'q' || key === 'ctrl-c') screenKey(session, key);
}

/** Folds a message that was on the screen long enough to be read. */
function foldMessage(session: Session) {
  const { ui, now } = session.snapshot();
  if (ui.statusMessage && !ui.statusMessage.collapsed && now - ui.statusMessage.at > READ_MS)
    session.dispatch({ type: 'foldMessage' });
}

/** Sends a key to the current mode. */
export function route(session: Session, key: string) {
  foldMessage(session);
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
