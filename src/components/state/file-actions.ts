import type { AdoptPlan, CopyPlan, DeleteItem, DeletePlan, DeleteTarget, Orphan } from '../../core/index.ts';
import { plural } from '../../core/text/units.ts';
import { formatBytes } from '../text/display.ts';
import type { Line } from '../text/line.ts';
import { dialogWidth } from '../view/dialog.ts';
import {
  adoptLines,
  copyLines,
  deleteLines,
  deletionConfirmation,
  deletionLines,
  orphanLine,
  refusalText,
  sharedNotes,
} from '../view/plans.ts';
import type { DialogOption, Snapshot } from '../view/types.ts';
import { ask, clearSelection, planAndRun, type Question, startOnRows } from './dialogs.ts';
import {
  otherStorage,
  selectedDeleteTargets,
  selectedFiles,
  selectedOrphans,
  selectedStoredFiles,
} from './selection.ts';
import type { Session } from './session.ts';

/** Verifies the selected files: completely, or only header and trailer if `quick`. */
export function verifySelected(session: Session, quick: boolean) {
  const targets = [...selectedFiles(session.snapshot())];
  clearSelection(session);
  session.startJob({ kind: 'verify', targets, ...(quick ? { quick } : {}) });
}

/** Verifies every backup and every completed archive. */
export function verifyAll(session: Session) {
  session.startJob({ kind: 'verify', targets: 'all' });
}

/** Plans the deletion of the selected files and asks for confirmation, listing what is deleted and what is kept. */
export function deleteSelected(session: Session) {
  const targets = selectedDeleteTargets(session.snapshot());
  session.notify('info', `Planning the deletion of ${plural(targets.length, 'item')}`);
  void planAndRun(session, {
    name: 'deletion',
    key: 'D',
    failed: 'Nothing was deleted',
    status: 'deleting',
    plan: (signal) => session.engine.planDelete(targets, { signal }),
    ids: (plan) => deletedRows(session.snapshot(), targets, plan),
    question: (plan) => deleteQuestion(session, plan),
    request: (plan) => ({ kind: 'delete', plan }),
  });
}

/** The rows of what a plan deletes; that of a group only if it deletes all its archives. */
function deletedRows(
  { data }: Snapshot,
  targets: readonly DeleteTarget[],
  { items }: DeletePlan,
): readonly string[] {
  const ids = new Set(items.filter(({ action }) => action === 'delete').map(({ id }) => id));
  const isWhole = (group: string) =>
    (data.archives.value ?? []).every(({ id, group_id }) => group_id !== group || ids.has(id));
  const groups = targets.filter(({ kind, id }) => kind === 'group' && ids.size > 0 && isWhole(id));
  return [...ids, ...groups.map(({ id }) => id)];
}

function deleteQuestion(session: Session, plan: DeletePlan): Question {
  const snapshot = session.snapshot();
  const deleted = plan.items.filter(({ action }) => action === 'delete');
  const what = plural(deleted.length, nounOf(deleted));
  const shared = sharedNotes(plan);
  // Items to delete come first: the list can be longer than the screen.
  const items = plan.items.toSorted((a, b) => Number(a.action === 'keep') - Number(b.action === 'keep'));
  const question: Question = {
    title:
      deleted.length === 0 ? 'Nothing can be deleted' : `Delete ${what} (${formatBytes(plan.freed_bytes)})?`,
    tone: 'bad',
    lines: deletionLines(plan),
    items: itemLines(session, items, (item, columns) => deleteLines(item, snapshot, columns, shared)),
  };
  if (deleted.length === 0) return withReasonOnce(session, question, items);
  const confirmation = deletionConfirmation(plan, snapshot.data.archives.value ?? []);
  return { ...question, confirmation, answer: `Delete ${what}` };
}

/** If all items are kept for the same reason, it is shown once, above them. */
function withReasonOnce(session: Session, question: Question, items: readonly DeleteItem[]): Question {
  const [reason, ...others] = new Set(items.map(({ refusal }) => (refusal ? refusalText(refusal) : '')));
  if (!reason || others.length > 0) return question;
  const snapshot = session.snapshot();
  const withoutReasons = items.map((item) => ({ ...item, refusal: null }));
  return {
    ...question,
    lines: [reason],
    items: itemLines(session, withoutReasons, (item, columns) => deleteLines(item, snapshot, columns)),
  };
}

/** What the items have in common: `backup`, `archive`, `group`, else `item`. */
function nounOf(items: readonly DeleteItem[]): string {
  const [kind, ...others] = new Set(items.map((item) => item.kind));
  return kind === undefined || others.length > 0 ? 'item' : kind;
}

/** The lines of a plan, wrapped to the width of its dialog. */
function itemLines<Item>(
  session: Session,
  items: readonly Item[],
  lines: (item: Item, columns: number) => Line[],
) {
  const columns = dialogWidth({ items: [] }, session.snapshot().columns);
  return items.flatMap((item) => lines(item, columns));
}

/** Plans the copy of the selected files to the other storage and asks for confirmation. */
export function copySelected(session: Session) {
  const snapshot = session.snapshot();
  const ids = selectedStoredFiles(snapshot).map(({ id }) => id);
  const to = otherStorage(snapshot);
  if (to === undefined) return;
  session.notify('info', `Planning the copy of ${plural(ids.length, 'file')}`);
  void planAndRun(session, {
    name: 'copy',
    key: 'C',
    failed: 'Nothing was copied',
    status: 'copying',
    plan: (signal) => session.engine.planCopy(ids, { to, signal }),
    ids: ({ items }) => items.filter(({ action }) => action === 'copy').map(({ target }) => target),
    question: (plan) => copyQuestion(session, plan),
    request: (plan) => ({ kind: 'copy', plan }),
  });
}

function copyQuestion(session: Session, plan: CopyPlan): Question {
  const snapshot = session.snapshot();
  const count = plan.items.filter(({ action }) => action === 'copy').length;
  const to = plan.to === 's3' ? 'S3' : 'disk';
  const items = itemLines(session, plan.items, (item, columns) => copyLines(item, snapshot, columns));
  if (count === 0) return { title: 'Nothing can be copied', tone: 'info', lines: [], items };
  return {
    title: `Copy ${plural(count, 'file')} (${formatBytes(plan.size_bytes)}) to ${to}?`,
    tone: 'info',
    lines: [
      'Each file is verified while it is copied. The originals are kept.',
      plan.items.some(({ archive_id }) => archive_id !== null)
        ? 'Archive records will point to the copy.'
        : '',
    ].filter(Boolean),
    items,
    answer: `Copy ${plural(count, 'file')} to ${to}`,
  };
}

/** Plans the adoption of the selected files and asks for confirmation. */
export function adoptSelected(session: Session) {
  planAdoption(
    session,
    selectedOrphans(session.snapshot(), 'adopt').map(({ id }) => id),
    false,
  );
}

function planAdoption(session: Session, files: readonly string[], create_fractals: boolean) {
  session.notify('info', `Reading ${plural(files.length, 'file header')}`, { quiet: true });
  void planAndRun(session, {
    name: 'adoption',
    key: 'a',
    failed: 'Nothing was adopted',
    status: 'adopting',
    plan: (signal) => session.engine.planAdopt([...files], { create_fractals, signal }),
    ids: ({ items }) => items.filter(({ action }) => action === 'adopt').map(({ path }) => path),
    question: (plan) => adoptQuestion(session, files, plan),
    request: (plan) => ({ kind: 'adopt', plan }),
  });
}

function adoptQuestion(session: Session, files: readonly string[], { items }: AdoptPlan): Question {
  const adoptable = items.filter(({ action }) => action === 'adopt');
  const count = plural(adoptable.length, 'file');
  const created = new Set(
    adoptable.filter((item) => item.create_fractal).map((item) => item.fractal?.name ?? ''),
  );
  const withoutFractal = items.some(({ fractal, fractal_known, create_fractal }) => {
    return fractal !== null && fractal.name !== null && !fractal_known && !create_fractal;
  });
  const withFractals: DialogOption = {
    key: 'f',
    label: 'Plan again and create the missing fractals',
    safe: true,
    run: () => planAdoption(session, files, true),
  };
  const question: Question = {
    title: 'Nothing can be adopted',
    tone: 'info',
    lines: [],
    items: itemLines(session, items, (item, columns) =>
      adoptLines(item, session.snapshot().symbols, columns),
    ),
    more: withoutFractal ? [withFractals] : [],
  };
  if (adoptable.length === 0) return question;
  return {
    ...question,
    title: `Create ${adoptable.length === 1 ? 'the record' : 'the records'} of ${count}?`,
    lines: [
      'Each file is read completely first; its record is created only if it is intact.',
      created.size === 0
        ? ''
        : `Also creates ${created.size === 1 ? 'fractal' : 'fractals'} ${[...created].join(', ')}.`,
    ].filter(Boolean),
    answer: `Adopt ${count}`,
  };
}

/** Asks for confirmation to mark lost records as failed and delete unfinished files. */
export function confirmClean(session: Session) {
  const snapshot = session.snapshot();
  const orphans = [...selectedOrphans(snapshot, 'discard', 'fail_record')];
  const unfinished = orphans.filter(({ actions }) => actions.includes('discard')).length;
  const records = orphans.length - unfinished;
  const ids = orphans.map(({ id }) => id);
  const deletes = unfinished > 0;
  const question: Question = {
    title: deletes
      ? `Delete ${plural(unfinished, 'unfinished file')}?`
      : `Mark ${plural(records, 'record')} as failed?`,
    tone: deletes ? 'bad' : 'warn',
    lines: [
      deletes ? 'Unfinished files of crashed jobs are deleted. This cannot be undone.' : '',
      records > 0 ? `${plural(records, 'record')} will be marked as failed; no file is changed.` : '',
      keptText(snapshot.data.orphans.value ?? [], orphans),
    ].filter(Boolean),
    items: orphans.map((orphan) => orphanLine(orphan, snapshot)),
    ...(deletes ? { confirmation: `delete ${unfinished}` } : {}),
    answer: deletes ? 'Delete' : 'Mark as failed',
  };
  const status = deletes ? 'deleting' : 'marking failed';
  ask(session, question, () => startOnRows(session, ids, status, { kind: 'clean', orphans }));
}

function keptText(all: readonly Orphan[], chosen: readonly Orphan[]): string {
  const files = all.filter(({ kind }) => kind === 'file').length;
  const others = all.length - chosen.length - files;
  const parts = [
    files > 0 ? `${plural(files, 'file')} without a record` : '',
    others > 0 ? `${plural(others, 'other orphan')}` : '',
  ].filter(Boolean);
  return `Kept: all complete files${parts.length > 0 ? `, ${parts.join(' and ')}` : ''}.`;
}
