import { recall, remember } from '../state/history.ts';
import { quit, quitNow } from '../state/job-actions.ts';
import { chooseColumns } from '../state/navigation.ts';
import type { Session } from '../state/session.ts';
import { bodyHeight } from '../text/layout.ts';
import { editLine, type LineInput } from '../text/line-input.ts';
import { editText } from '../text/text.ts';
import { columnChoices, withToggled } from '../view/columns.ts';
import { CONFIRM, canChoose, layOutDialog } from '../view/dialog.ts';
import { currentScreen, listStateAt } from '../view/snapshot.ts';
import type { DialogOption, DialogState, Mode, Recall } from '../view/types.ts';
import { setFilter } from './keymap.ts';
import { paletteEntries } from './palette.ts';

/** A mode that has its own keys instead of the commands of the screen. */
export type KeyMode = Exclude<Mode, { name: 'keys' }>;
type In<Name extends KeyMode['name']> = Extract<KeyMode, { name: Name }>;

/** A key of a mode. */
interface ModeKey<M> {
  keys: readonly string[];
  /** One or two words for the footer; without it the key is not shown there. */
  label?: string;
  run(session: Session, mode: M): void;
}

interface ModeKeys<M> {
  keys: readonly ModeKey<M>[];
  /** Handles all other keys. */
  other?(session: Session, key: string, mode: M): void;
}

function setMode(session: Session, mode: Mode) {
  session.dispatch({ type: 'mode', mode });
}

function close(session: Session) {
  setMode(session, { name: 'keys' });
}

const FILTER: ModeKeys<In<'filter'>> = {
  keys: [
    { keys: ['enter'], label: 'apply filter', run: applyFilter },
    { keys: ['esc'], label: 'clear', run: (session) => leaveFilter(session, '') },
    { keys: ['up'], label: 'history', run: (session, mode) => recallFilter(session, mode, 'older') },
    { keys: ['down'], run: (session, mode) => recallFilter(session, mode, 'newer') },
    { keys: ['ctrl-c'], run: (session, { before }) => leaveFilter(session, before) },
  ],
  other(session, key, { before, cursor }) {
    const edited = editLine({ text: currentFilter(session), cursor }, key);
    if (edited) editFilter(session, before, edited);
  },
};

function currentFilter(session: Session): string {
  const snapshot = session.snapshot();
  return listStateAt(snapshot, currentScreen(snapshot)).filter;
}

function editFilter(session: Session, before: string, { text, ...input }: LineInput & { recalled?: Recall }) {
  if (text !== currentFilter(session)) setFilter(session, text);
  setMode(session, { name: 'filter', before, ...input });
}

function recallFilter(session: Session, { before, recalled }: In<'filter'>, direction: 'older' | 'newer') {
  const input = { text: currentFilter(session), recalled };
  const found = recall(session.preferences, 'filter', input, direction);
  if (found) editFilter(session, before, found);
}

function applyFilter(session: Session) {
  remember(session.preferences, 'filter', currentFilter(session));
  close(session);
}

function leaveFilter(session: Session, filter: string) {
  setFilter(session, filter);
  close(session);
}

const PALETTE: ModeKeys<In<'palette'>> = {
  keys: [
    { keys: ['enter'], label: 'run', run: runChosen },
    { keys: ['esc', 'ctrl-c'], label: 'close', run: close },
    { keys: ['down', 'tab'], run: (session, mode) => movePalette(session, mode, 1) },
    { keys: ['up', 'shift-tab'], run: (session, mode) => movePalette(session, mode, -1) },
  ],
  other(session, key, mode) {
    const edited = editLine({ text: mode.query, cursor: mode.cursor }, key);
    if (!edited) return;
    const { text: query, cursor } = edited;
    setMode(session, { ...mode, query, cursor, index: query === mode.query ? mode.index : 0 });
  },
};

function runChosen(session: Session, { query, index }: In<'palette'>) {
  const entry = paletteEntries(session.snapshot(), query)[index];
  close(session);
  entry?.run(session);
}

function movePalette(session: Session, mode: In<'palette'>, by: number) {
  const last = paletteEntries(session.snapshot(), mode.query).length - 1;
  setMode(session, { ...mode, index: Math.max(0, Math.min(last, mode.index + by)) });
}

const PROMPT: ModeKeys<In<'prompt'>> = {
  keys: [
    { keys: ['enter'], label: 'go', run: submit },
    { keys: ['ctrl-u'], label: 'clear', run: (session, mode) => editPrompt(session, 'ctrl-u', mode) },
    { keys: ['esc'], label: 'close', run: close },
    { keys: ['ctrl-c'], run: interrupt },
    { keys: ['up'], run: (session, mode) => recallPrompt(session, mode, 'older') },
    { keys: ['down'], run: (session, mode) => recallPrompt(session, mode, 'newer') },
  ],
  other: editPrompt,
};

/** A prompt that a digit has opened is not in the way of Ctrl-C. */
function interrupt(session: Session, { prompt }: In<'prompt'>) {
  close(session);
  if (prompt.submitKeys) quit(session);
}

function submit(session: Session, { prompt }: In<'prompt'>) {
  close(session);
  const error = prompt.submit(prompt.text);
  if (error !== undefined) setMode(session, { name: 'prompt', prompt: { ...prompt, error } });
  else if (prompt.history) remember(session.preferences, prompt.history, prompt.text);
}

function editPrompt(session: Session, key: string, { prompt }: In<'prompt'>) {
  const edited = editLine(prompt, key);
  if (!edited) return;
  const { text, cursor } = edited;
  const mode: In<'prompt'> = { name: 'prompt', prompt: { ...prompt, text, cursor, error: undefined } };
  if (prompt.submitKeys?.includes(key)) submit(session, mode);
  else setMode(session, mode);
}

function recallPrompt(session: Session, { prompt }: In<'prompt'>, direction: 'older' | 'newer') {
  const found = prompt.history && recall(session.preferences, prompt.history, prompt, direction);
  if (!found) return;
  const { text, recalled } = found;
  setMode(session, {
    name: 'prompt',
    prompt: { ...prompt, text, recalled, cursor: undefined, error: undefined },
  });
}

const HELP: ModeKeys<In<'help'>> = {
  keys: [
    { keys: ['esc', '?', 'q', 'enter', 'ctrl-c'], label: 'close help', run: close },
    { keys: ['pgdn', ' '], label: 'scroll', run: (session, mode) => scroll(session, mode, page(session)) },
    { keys: ['pgup'], run: (session, mode) => scroll(session, mode, -page(session)) },
    { keys: ['down', 'j'], run: (session, mode) => scroll(session, mode, 1) },
    { keys: ['up', 'k'], run: (session, mode) => scroll(session, mode, -1) },
    { keys: ['g', 'home'], run: (session, mode) => scroll(session, mode, -mode.top) },
  ],
};

function page(session: Session): number {
  return bodyHeight(session.snapshot()) - 1;
}

function scroll(session: Session, mode: In<'help'>, by: number) {
  setMode(session, { ...mode, top: Math.max(0, mode.top + by) });
}

const COLUMNS: ModeKeys<In<'columns'>> = {
  keys: [
    { keys: ['enter', 'esc', 'q', 'w', 'ctrl-c'], label: 'close', run: close },
    { keys: [' '], label: 'show/hide', run: toggleColumn },
    { keys: ['r'], label: 'show all', run: (session) => chooseColumns(session, []) },
    { keys: ['down', 'j', 'tab'], run: (session, mode) => moveInColumns(session, mode, 1) },
    { keys: ['up', 'k'], run: (session, mode) => moveInColumns(session, mode, -1) },
  ],
};

function toggleColumn(session: Session, { index }: In<'columns'>) {
  chooseColumns(session, withToggled(columnChoices(session.snapshot()), index));
}

function moveInColumns(session: Session, mode: In<'columns'>, by: number) {
  const last = columnChoices(session.snapshot()).length - 1;
  setMode(session, { ...mode, index: Math.max(0, Math.min(last, mode.index + by)) });
}

/** The keys of the options come first; see `pressOption`. */
const DIALOG: ModeKeys<In<'dialog'>> = {
  keys: [
    { keys: ['esc'], label: 'close', run: close },
    { keys: ['enter'], run: (session, { dialog }) => chooseFocused(session, dialog) },
    { keys: ['ctrl-c'], run: (session) => quitNow(session) },
    { keys: ['pgdn'], run: (session, { dialog }) => scrollDialog(session, dialog, DIALOG_PAGE) },
    { keys: ['pgup'], run: (session, { dialog }) => scrollDialog(session, dialog, -DIALOG_PAGE) },
  ],
  other(session, key, { dialog }) {
    if (typeConfirmation(session, key, dialog)) return;
    if (key === 'q' && dialog.options.some(({ safe }) => !safe)) return close(session);
    if (key === 'tab' || key === 'right' || key === 'down') session.dispatch({ type: 'focus', by: 1 });
    if (key === 'shift-tab' || key === 'left' || key === 'up') session.dispatch({ type: 'focus', by: -1 });
  },
};

const DIALOG_PAGE = 5;

/** Enter takes only the safe answer; after the confirmation was typed, that is reported. */
function chooseFocused(session: Session, { options, focus, confirmation, typed }: DialogState) {
  const focused = options[focus];
  if (!focused?.safe) return;
  choose(session, focused);
  if (confirmation !== undefined && typed === confirmation)
    session.notify('warn', 'Cancelled. To confirm, press ^Y, not Enter.');
}

function choose(session: Session, option: DialogOption) {
  close(session);
  option.run();
}

/** Scrolls the items of a long dialog. */
function scrollDialog(session: Session, dialog: DialogState, by: number) {
  const snapshot = session.snapshot();
  const area = { columns: snapshot.columns, height: bodyHeight(snapshot) };
  const { items, visibleItems } = layOutDialog(area, dialog);
  const top = Math.max(0, Math.min(items.length - visibleItems, (dialog.top ?? 0) + by));
  session.dispatch({ type: 'dialog', change: { top, typed: dialog.typed } });
}

/** Edits the typed confirmation; false if there is none, or the key does not edit text. */
function typeConfirmation(session: Session, key: string, dialog: DialogState): boolean {
  const { top = 0, confirmation, typed = '' } = dialog;
  const text = confirmation === undefined ? undefined : editText(typed, key);
  if (text === undefined) return false;
  session.dispatch({ type: 'dialog', change: { top, typed: text } });
  return true;
}

/** Presses the key of an option, or the key that confirms every question; false if no option has it. */
function pressOption(session: Session, key: string, dialog: DialogState): boolean {
  const option =
    dialog.options.find((one) => one.key === key) ??
    (key === CONFIRM ? dialog.options.find(({ safe }) => !safe) : undefined);
  if (!option) return false;
  if (canChoose(option, dialog)) choose(session, option);
  else session.notify('warn', `Type "${dialog.confirmation}" first`);
  return true;
}

/** The keys of every mode, in the order of the footer. */
const MODES: { [Name in KeyMode['name']]: ModeKeys<In<Name>> } = {
  filter: FILTER,
  palette: PALETTE,
  prompt: PROMPT,
  help: HELP,
  columns: COLUMNS,
  dialog: DIALOG,
};

/** Handles a key in a mode. */
export function modeKey(session: Session, key: string, mode: KeyMode): void {
  if (mode.name === 'dialog' && pressOption(session, key, mode.dialog)) return;
  const { keys, other } = MODES[mode.name] as ModeKeys<KeyMode>;
  const found = keys.find((one) => one.keys.includes(key));
  if (found) found.run(session, mode);
  else other?.(session, key, mode);
}

/** The keys of a mode that the footer shows, the first of each. */
export function modeHints(mode: KeyMode): { key: string; label: string }[] {
  const onEscape = mode.name === 'dialog' ? mode.dialog.escape : undefined;
  return MODES[mode.name].keys.flatMap(({ keys: [key], label }) =>
    key === undefined || label === undefined
      ? []
      : [{ key, label: key === 'esc' ? (onEscape ?? label) : label }],
  );
}

/** Handles a key on a terminal too small for the dialog: one with items can only be closed, as they are not visible. */
export function smallDialogKey(session: Session, key: string, mode: In<'dialog'>) {
  if (mode.dialog.items === undefined) modeKey(session, key, mode);
  else if (key === 'esc' || key === 'q') close(session);
}
