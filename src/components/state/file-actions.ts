import type { AdoptPlan, CopyPlan, DeleteItem, DeletePlan, JobRequest, Orphan } from '../../core/index.ts';
import { formatBytes, plural } from '../../core/text/units.ts';
import type { Line } from '../text/line.ts';
import { dialogWidth } from '../view/dialog.ts';
import {
  adoptLines,
  copyLines,
  deleteLines,
  deletionConfirmation,
  deletionLines,
  orphanLine,
  sharedNotes,
} from '../view/plans.ts';
import type { DialogState } from '../view/types.ts';
import { clearSelection, openDialog, planAndConfirm, startOnRows } from './plan-dialog.ts';
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
  session.engine.start({ kind: 'verify', targets, ...(quick ? { quick } : {}) });
}

/** Verifies every backup and every completed archive. */
export function verifyAll(session: Session) {
  session.engine.start({ kind: 'verify', targets: 'all' });
}

function confirmAdopt(session: Session, files: readonly string[], plan: AdoptPlan) {
  const adoptable = plan.items.filter(({ action }) => action === 'adopt');
  const withoutFractal = plan.items.filter(({ fractal, fractal_known, create_fractal }) => {
    return fractal !== null && fractal.name !== null && !fractal_known && !create_fractal;
  });
  const created = new Set(
    adoptable.filter((item) => item.create_fractal).map((item) => item.fractal?.name ?? ''),
  );
  const request: JobRequest = { kind: 'adopt', plan };
  openDialog(session, {
    title:
      adoptable.length === 0
        ? 'Nothing can be adopted'
        : `Create ${adoptable.length === 1 ? 'the record' : 'the records'} of ${plural(adoptable.length, 'file')}?`,
    tone: 'info',
    lines: [
      adoptable.length === 0
        ? ''
        : 'Each file is read completely first; its record is created only if it is intact.',
      created.size === 0
        ? ''
        : `Also creates ${created.size === 1 ? 'fractal' : 'fractals'} ${[...created].join(', ')}.`,
    ].filter(Boolean),
    items: plan.items.flatMap((item) => adoptLines(item, session.snapshot().symbols)),
    options: [
      { key: 'n', label: 'Cancel', safe: true, run: () => {} },
      ...(withoutFractal.length > 0
        ? [
            {
              key: 'f',
              label: 'Plan again and create the missing fractals',
              safe: true,
              run: () => void planAdoption(session, files, true),
            },
          ]
        : []),
      ...(adoptable.length > 0
        ? [
            {
              key: 'y',
              label: `Adopt ${plural(adoptable.length, 'file')}`,
              safe: false,
              run: () => void startOnRows(session, files, 'adopting', request),
            },
          ]
        : []),
    ],
  });
}

async function planAdoption(session: Session, files: readonly string[], create_fractals: boolean) {
  session.notify('info', `Reading ${plural(files.length, 'file header')}`, { quiet: true });
  await planAndConfirm(session, {
    action: 'adoption',
    key: 'a',
    failed: 'Nothing was adopted',
    plan: (signal) => session.engine.planAdopt([...files], { create_fractals, signal }),
    confirm: (plan) => confirmAdopt(session, files, plan),
  });
}

/** Plans the adoption of the selected files and asks for confirmation. */
export function adoptSelected(session: Session) {
  const files = selectedOrphans(session.snapshot(), 'adopt').map(({ id }) => id);
  void planAdoption(session, files, false);
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

/** Asks for confirmation to mark lost records as failed and delete unfinished files. */
export function confirmClean(session: Session) {
  const snapshot = session.snapshot();
  const orphans = [...selectedOrphans(snapshot, 'discard', 'fail_record')];
  const unfinished = orphans.filter(({ actions }) => actions.includes('discard'));
  const records = orphans.length - unfinished.length;
  const request: JobRequest = { kind: 'clean', orphans };
  const ids = orphans.map(({ id }) => id);
  openDialog(session, {
    title:
      unfinished.length > 0
        ? `Delete ${plural(unfinished.length, 'unfinished file')}?`
        : `Mark ${plural(records, 'record')} as failed?`,
    tone: unfinished.length > 0 ? 'bad' : 'warn',
    lines: [
      unfinished.length > 0 ? 'Unfinished files of crashed jobs are deleted. This cannot be undone.' : '',
      records > 0 ? `${plural(records, 'record')} will be marked as failed; no file is changed.` : '',
      keptText(snapshot.data.orphans.value ?? [], orphans),
    ].filter(Boolean),
    items: orphans.map((orphan) => orphanLine(orphan, snapshot)),
    ...(unfinished.length > 0 ? { confirmation: `delete ${unfinished.length}`, typed: '' } : {}),
    options: [
      { key: 'esc', label: 'Cancel', safe: true, run: () => {} },
      {
        key: unfinished.length > 0 ? 'ctrl-y' : 'y',
        label: unfinished.length > 0 ? 'Delete' : 'Mark as failed',
        safe: false,
        run: () =>
          void startOnRows(session, ids, unfinished.length > 0 ? 'deleting' : 'marking failed', request),
      },
    ],
  });
}

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
