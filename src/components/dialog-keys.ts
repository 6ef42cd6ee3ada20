import { quitNow } from './hooks/deeds.ts';
import type { Session } from './hooks/session.ts';
import { canTake, layOutDialog } from './view/dialog.ts';
import { bodyHeight } from './view/layout.ts';
import type { DialogOption, DialogState } from './view/types.ts';
import { typed } from './view/typing.ts';

function close(session: Session) {
  session.dispatch({ type: 'mode', mode: { name: 'keys' } });
}

function choose(session: Session, option: DialogOption) {
  close(session);
  option.run();
}

const DIALOG_PAGE = 5;

/** Letters go into the word that is asked for, and the items of a long question scroll. */
function dialogText(session: Session, key: string, dialog: DialogState): boolean {
  const { top = 0, word } = dialog;
  const step = key === 'pgdn' ? DIALOG_PAGE : key === 'pgup' ? -DIALOG_PAGE : undefined;
  if (step !== undefined) {
    const snapshot = session.snapshot();
    const { items, room } = layOutDialog({ columns: snapshot.columns, height: bodyHeight(snapshot) }, dialog);
    const next = Math.max(0, Math.min(items.length - room, top + step));
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

/** A key while a question is asked. */
export function dialogKey(session: Session, key: string, dialog: DialogState) {
  const named = dialog.options.find((option) => option.key === key);
  const danger = dialog.options.some((option) => !option.safe);
  if (named && canTake(named, dialog)) return choose(session, named);
  if (named) return session.say('warn', `Nothing was done: type ${dialog.word} first`);
  if (key === 'enter') return takeFocused(session, dialog);
  if (key === 'esc') return close(session);
  if (key === 'ctrl-c') return quitNow(session);
  if (dialogText(session, key, dialog)) return;
  if (key === 'q' && danger) return close(session);
  if (key === 'tab' || key === 'right' || key === 'down') session.dispatch({ type: 'focus', by: 1 });
  if (key === 'left' || key === 'up') session.dispatch({ type: 'focus', by: -1 });
}

/** What a question is about must be on the screen for an answer to it. */
export function smallDialogKey(session: Session, key: string, dialog: DialogState) {
  if (dialog.items === undefined) dialogKey(session, key, dialog);
  else if (key === 'esc' || key === 'q') close(session);
}
