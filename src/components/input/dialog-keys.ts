import { quitNow } from '../state/job-actions.ts';
import type { Session } from '../state/session.ts';
import { bodyHeight } from '../text/layout.ts';
import { editText } from '../text/text.ts';
import { canChoose, layOutDialog } from '../view/dialog.ts';
import type { DialogOption, DialogState } from '../view/types.ts';

function close(session: Session) {
  session.dispatch({ type: 'mode', mode: { name: 'keys' } });
}

function choose(session: Session, option: DialogOption) {
  close(session);
  option.run();
}

const DIALOG_PAGE = 5;

/** Edits the confirmation word, and scrolls the items of a long dialog. Returns whether the key was used. */
function editDialog(session: Session, key: string, dialog: DialogState): boolean {
  const { top = 0, confirmation: word } = dialog;
  const step = key === 'pgdn' ? DIALOG_PAGE : key === 'pgup' ? -DIALOG_PAGE : undefined;
  if (step !== undefined) {
    const snapshot = session.snapshot();
    const { items, visibleItems: room } = layOutDialog(
      { columns: snapshot.columns, height: bodyHeight(snapshot) },
      dialog,
    );
    const next = Math.max(0, Math.min(items.length - room, top + step));
    session.dispatch({ type: 'dialog', change: { top: next, typed: dialog.typed } });
    return true;
  }
  const text = word === undefined ? undefined : editText(dialog.typed ?? '', key);
  if (text !== undefined) session.dispatch({ type: 'dialog', change: { top, typed: text } });
  return text !== undefined;
}

/** Enter takes only the safe answer; after the confirmation word was typed, that is reported. */
function chooseFocused(session: Session, { options, focus, confirmation: word, typed }: DialogState) {
  const focused = options[focus];
  if (!focused?.safe) return;
  choose(session, focused);
  if (word !== undefined && typed === word)
    session.notify('warn', 'Cancelled: Enter only takes the safe answer');
}

/** Handles a key while a dialog is open. */
export function dialogKey(session: Session, key: string, dialog: DialogState) {
  const option = dialog.options.find(({ key: own }) => own === key);
  const danger = dialog.options.some(({ safe }) => !safe);
  if (option && canChoose(option, dialog)) return choose(session, option);
  if (option) return session.notify('warn', `Not confirmed: type ${dialog.confirmation} first`);
  if (key === 'enter') return chooseFocused(session, dialog);
  if (key === 'esc') return close(session);
  if (key === 'ctrl-c') return quitNow(session);
  if (editDialog(session, key, dialog)) return;
  if (key === 'q' && danger) return close(session);
  if (key === 'tab' || key === 'right' || key === 'down') session.dispatch({ type: 'focus', by: 1 });
  if (key === 'left' || key === 'up') session.dispatch({ type: 'focus', by: -1 });
}

/** Handles a key on a terminal too small for the dialog: one with items can only be closed, as they are not visible. */
export function smallDialogKey(session: Session, key: string, dialog: DialogState) {
  if (dialog.items === undefined) dialogKey(session, key, dialog);
  else if (key === 'esc' || key === 'q') close(session);
}
