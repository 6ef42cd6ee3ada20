import { scrollTop } from '../text/layout.ts';
import { NEW_LIST } from '../view/snapshot.ts';
import type { DialogState, ListState, LogEntry, Mode, Screen, Sort, UiState } from '../view/types.ts';

/** Changes of the interface. `key` is the key of a list in `UiState.lists`. */
export type Action =
  | { type: 'go'; screen: Screen }
  | { type: 'open'; screen: Screen }
  | { type: 'back' }
  | { type: 'cursor'; key: string; ids: readonly string[]; index: number; height: number }
  | { type: 'position'; key: string; index: number; top: number }
  | { type: 'dialog'; change: Pick<DialogState, 'typed' | 'top'> }
  | { type: 'scroll'; key: string; top: number }
  | { type: 'shift'; key: string; left: number }
  | { type: 'filter'; key: string; filter: string }
  | { type: 'sort'; key: string; sort: Sort }
  | { type: 'columns'; list: string; ids: readonly string[] }
  | { type: 'toggleSelected'; key: string; id: string }
  | { type: 'select'; key: string; selected: ReadonlySet<string> }
  | { type: 'clearSelection'; key: string }
  | { type: 'mode'; mode: Mode }
  | { type: 'focus'; by: number }
  | { type: 'log'; entry: LogEntry; quiet?: boolean }
  | { type: 'foldMessage' }
  | { type: 'clearMessage' };

const MAX_LOG = 500;

/** The initial state. */
export function initialUi(): UiState {
  return { stack: [{ name: 'overview' }], lists: {}, columns: {}, mode: { name: 'keys' }, log: [] };
}

function patchList(ui: UiState, key: string, patch: Partial<ListState>): UiState {
  const list = { ...(ui.lists[key] ?? NEW_LIST), ...patch };
  return { ...ui, lists: { ...ui.lists, [key]: list } };
}

function toggled(marks: ReadonlySet<string>, id: string): ReadonlySet<string> {
  const next = new Set(marks);
  if (!next.delete(id)) next.add(id);
  return next;
}

function focused(dialog: DialogState, by: number): DialogState {
  const count = dialog.options.length;
  return { ...dialog, focus: (dialog.focus + by + count) % count };
}

/** A message belongs to the screen that it appeared on; an error stays until there was time to read it. */
function withoutReadMessage(ui: UiState): UiState {
  const { statusMessage: message } = ui;
  return message?.severity === 'error' && !message.collapsed ? ui : { ...ui, statusMessage: undefined };
}

function open(ui: UiState, screen: Screen): UiState {
  return { ...ui, stack: [...ui.stack, screen] };
}

function back({ stack: [root, ...rest], ...ui }: UiState): UiState {
  return { ...ui, stack: [root, ...rest.slice(0, -1)] };
}

function moveCursor(ui: UiState, action: Extract<Action, { type: 'cursor' }>): UiState {
  const { key, ids, height } = action;
  const index = Math.max(0, Math.min(action.index, ids.length - 1));
  const { top } = ui.lists[key] ?? NEW_LIST;
  return patchList(ui, key, { index, cursor: ids[index], top: scrollTop(top, index, height, ids.length) });
}

/** The state after an action. */
export function reduce(ui: UiState, action: Action): UiState {
  switch (action.type) {
    case 'go':
      return { ...withoutReadMessage(ui), stack: [action.screen], mode: { name: 'keys' } };
    case 'open':
      return open(withoutReadMessage(ui), action.screen);
    case 'back':
      return back(withoutReadMessage(ui));
    case 'cursor':
      return moveCursor(ui, action);
    case 'position':
      return patchList(ui, action.key, { index: action.index, top: action.top });
    case 'dialog':
      return ui.mode.name === 'dialog'
        ? { ...ui, mode: { name: 'dialog', dialog: { ...ui.mode.dialog, ...action.change } } }
        : ui;
    case 'scroll':
      return patchList(ui, action.key, { top: action.top });
    case 'shift':
      return patchList(ui, action.key, { left: action.left });
    case 'filter':
      return patchList(ui, action.key, { filter: action.filter });
    case 'sort':
      return patchList(ui, action.key, { sort: action.sort });
    case 'columns':
      return { ...ui, columns: { ...ui.columns, [action.list]: action.ids } };
    case 'toggleSelected':
      return patchList(ui, action.key, {
        selected: toggled((ui.lists[action.key] ?? NEW_LIST).selected, action.id),
        anchor: action.id,
      });
    case 'select':
      return patchList(ui, action.key, { selected: action.selected });
    case 'clearSelection':
      return patchList(ui, action.key, { selected: new Set() });
    case 'mode':
      return { ...ui, mode: action.mode };
    case 'focus':
      return ui.mode.name === 'dialog'
        ? { ...ui, mode: { name: 'dialog', dialog: focused(ui.mode.dialog, action.by) } }
        : ui;
    case 'log':
      return {
        ...ui,
        log: [...ui.log.filter(({ id }) => id !== action.entry.id), action.entry].slice(-MAX_LOG),
        statusMessage: action.quiet ? ui.statusMessage : action.entry,
      };
    case 'foldMessage':
      return ui.statusMessage ? { ...ui, statusMessage: { ...ui.statusMessage, collapsed: true } } : ui;
    case 'clearMessage':
      return { ...ui, statusMessage: undefined };
  }
}
