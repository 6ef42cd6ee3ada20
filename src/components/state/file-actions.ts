import type { AdoptPlan, JobRequest, Orphan } from '../../core/index.ts';
import { plural } from '../../core/text/units.ts';
import { adoptLines, orphanLine } from '../view/plans.ts';
import { openDialog } from './actions.ts';
import { clearSelection, planAndConfirm, startOnRows } from './plan-dialog.ts';
import { selectedFiles, selectedOrphans } from './selection.ts';
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
