import type { CopyPlan, DeleteItem, DeletePlan } from '../../core/index.ts';
import { formatBytes, plural } from '../../core/text/units.ts';
import { dialogWidth } from '../view/dialog.ts';
import {
  copyLines,
  deleteLines,
  deletionConfirmation,
  deletionLines,
  sharedNotes,
} from '../view/storage-plans.ts';
import type { DialogState, Line } from '../view/types.ts';
import { openDialog } from './actions.ts';
import { planAndConfirm, startOnRows } from './plan-dialog.ts';
import { otherStorage, selectedDeleteTargets, selectedStoredFiles } from './selection.ts';
import type { Session } from './session.ts';

const CANCEL = { key: 'esc', label: 'Cancel', safe: true, run: () => {} } as const;

/** The lines of a plan, wrapped to the width of its dialog. */
function linesOf<Item>(
  session: Session,
  items: readonly Item[],
  lines: (item: Item, columns: number) => Line[],
) {
  const columns = dialogWidth({ items: [] }, session.snapshot().columns);
  return items.flatMap((item) => lines(item, columns));
}

/** What the items have in common: `backup`, `archive`, `group`, else `item`. */
function nounOf(items: readonly DeleteItem[]): string {
  const [kind, ...others] = new Set(items.map((item) => item.kind));
  return kind === undefined || others.length > 0 ? 'item' : kind;
}

function confirmDelete(session: Session, ids: readonly string[], plan: DeletePlan) {
  const snapshot = session.snapshot();
  const deleted = plan.items.filter(({ action }) => action === 'delete');
  const what = plural(deleted.length, nounOf(deleted));
  const shared = sharedNotes(plan);
  // Items to delete come first: the list can be longer than the screen.
  const items = plan.items.toSorted((a, b) => Number(a.action === 'keep') - Number(b.action === 'keep'));
  const dialog: Omit<DialogState, 'focus'> = {
    title:
      deleted.length === 0 ? 'Nothing can be deleted' : `Delete ${what} (${formatBytes(plan.freed_bytes)})?`,
    tone: 'bad',
    lines: deletionLines(plan),
    items: linesOf(session, items, (item, columns) => deleteLines(item, snapshot, columns, shared)),
    options: [CANCEL],
  };
  if (deleted.length === 0) return openDialog(session, dialog);
  const run = () => void startOnRows(session, ids, 'deleting', { kind: 'delete', plan });
  openDialog(session, {
    ...dialog,
    confirmation: deletionConfirmation(plan, snapshot.data.archives.value ?? []),
    typed: '',
    options: [CANCEL, { key: 'ctrl-y', label: `Delete ${what}`, safe: false, run }],
  });
}

/** Plans the deletion of the selected files and asks for confirmation, listing what is deleted and what is kept. */
export function deleteSelected(session: Session) {
  const targets = selectedDeleteTargets(session.snapshot());
  const ids = targets.map(({ id }) => id);
  session.notify('info', `Planning the deletion of ${plural(targets.length, 'item')}`);
  void planAndConfirm(session, {
    action: 'deletion',
    key: 'D',
    failed: 'Nothing was deleted',
    plan: (signal) => session.engine.planDelete(targets, { signal }),
    confirm: (plan) => confirmDelete(session, ids, plan),
  });
}

function confirmCopy(session: Session, ids: readonly string[], plan: CopyPlan) {
  const snapshot = session.snapshot();
  const count = plan.items.filter(({ action }) => action === 'copy').length;
  const to = plan.to === 's3' ? 'S3' : 'disk';
  const run = () => void startOnRows(session, ids, 'copying', { kind: 'copy', plan });
  openDialog(session, {
    title:
      count === 0
        ? 'Nothing can be copied'
        : `Copy ${plural(count, 'file')} (${formatBytes(plan.size_bytes)}) to ${to}?`,
    tone: 'info',
    lines:
      count === 0
        ? []
        : [
            'Each file is verified while it is copied. The originals are kept.',
            plan.items.some(({ archive_id }) => archive_id !== null)
              ? 'Archive records will point to the copy.'
              : '',
          ].filter(Boolean),
    items: linesOf(session, plan.items, (item, columns) => copyLines(item, snapshot, columns)),
    options: [
      CANCEL,
      ...(count > 0 ? [{ key: 'y', label: `Copy ${plural(count, 'file')} to ${to}`, safe: false, run }] : []),
    ],
  });
}

/** Plans the copy of the selected files to the other storage and asks for confirmation. */
export function copySelected(session: Session) {
  const snapshot = session.snapshot();
  const files = selectedStoredFiles(snapshot);
  const to = otherStorage(snapshot);
  if (to === undefined) return;
  session.notify('info', `Planning the copy of ${plural(files.length, 'file')}`);
  const ids = files.map(({ id }) => id);
  void planAndConfirm(session, {
    action: 'copy',
    key: 'C',
    failed: 'Nothing was copied',
    plan: (signal) => session.engine.planCopy(ids, { to, signal }),
    confirm: (plan) => confirmCopy(session, ids, plan),
  });
}
