import type { CopyPlan, DeletePlan } from '../../core/index.ts';
import { dialogWidth } from '../view/dialog.ts';
import { copyLines, deleteLines, deletionLines, deletionWord, sharedNotes } from '../view/storage-plans.ts';
import type { DialogState, Line } from '../view/types.ts';
import { formatBytes, plural } from '../view/units.ts';
import { chosenStored, chosenTargets, otherStorage } from './chosen.ts';
import { ask } from './deeds.ts';
import { planAndAsk, startOn } from './planned.ts';
import type { Session } from './session.ts';

const NOTHING = { key: 'esc', label: 'Cancel, nothing happens', safe: true, run: () => {} } as const;

/** The targets of a plan, each as wide as the question that shows them. */
function linesOf<Item>(
  session: Session,
  items: readonly Item[],
  lines: (item: Item, columns: number) => Line[],
) {
  const columns = dialogWidth({ items: [] }, session.snapshot().columns);
  return items.flatMap((item) => lines(item, columns));
}

function askToDelete(session: Session, ids: readonly string[], plan: DeletePlan) {
  const snapshot = session.snapshot();
  const going = plan.items.filter(({ action }) => action === 'delete').length;
  const said = sharedNotes(plan);
  // What goes comes first: a list can be longer than the screen.
  const items = plan.items.toSorted((a, b) => Number(a.action === 'keep') - Number(b.action === 'keep'));
  const question: Omit<DialogState, 'focus'> = {
    title: going === 0 ? 'Nothing of this can be deleted' : `Delete ${plural(going, 'item')} for good?`,
    tone: 'bad',
    lines: deletionLines(plan),
    items: linesOf(session, items, (item, columns) => deleteLines(item, snapshot, columns, said)),
    options: [NOTHING],
  };
  if (going === 0) return ask(session, question);
  const run = () => void startOn(session, ids, 'deleting', { kind: 'delete', plan });
  ask(session, {
    ...question,
    word: deletionWord(plan, snapshot.data.archives.value ?? []),
    typed: '',
    options: [NOTHING, { key: 'ctrl-y', label: `Delete ${plural(going, 'item')}`, safe: false, run }],
  });
}

/** Finds out what deleting the chosen files would do, and asks for it with all that goes and all that stays. */
export function deleteChosen(session: Session) {
  const targets = chosenTargets(session.snapshot());
  const ids = targets.map(({ id }) => id);
  session.say('info', `Planning the deletion of ${plural(targets.length, 'item')}`);
  void planAndAsk(session, {
    deed: 'deletion',
    key: 'D',
    failed: 'Nothing was deleted',
    make: (signal) => session.engine.planDelete(targets, { signal }),
    ask: (plan) => askToDelete(session, ids, plan),
  });
}

function askToCopy(session: Session, ids: readonly string[], plan: CopyPlan) {
  const snapshot = session.snapshot();
  const going = plan.items.filter(({ action }) => action === 'copy').length;
  const to = plan.to === 's3' ? 'S3' : 'disk';
  const run = () => void startOn(session, ids, 'copying', { kind: 'copy', plan });
  ask(session, {
    title: going === 0 ? 'Nothing of this can be copied' : `Copy ${plural(going, 'file')} to ${to}?`,
    tone: 'info',
    lines:
      going === 0
        ? []
        : [
            `${formatBytes(plan.size_bytes)} are read, proved whole on the way, and stored there. The originals stay.`,
            plan.items.some(({ archive_id }) => archive_id !== null)
              ? 'The record of an archive then names its copy.'
              : '',
          ].filter(Boolean),
    items: linesOf(session, plan.items, (item, columns) => copyLines(item, snapshot, columns)),
    options: [
      NOTHING,
      ...(going > 0 ? [{ key: 'y', label: `Copy ${plural(going, 'file')} to ${to}`, safe: false, run }] : []),
    ],
  });
}

/** Finds out what copying the chosen files to the other storage would do, and asks. */
export function copyChosen(session: Session) {
  const snapshot = session.snapshot();
  const files = chosenStored(snapshot);
  const to = otherStorage(snapshot);
  if (to === undefined) return;
  session.say('info', `Planning the copy of ${plural(files.length, 'file')}`);
  const ids = files.map(({ id }) => id);
  void planAndAsk(session, {
    deed: 'copy',
    key: 'C',
    failed: 'Nothing was copied',
    make: (signal) => session.engine.planCopy(ids, { to, signal }),
    ask: (plan) => askToCopy(session, ids, plan),
  });
}
