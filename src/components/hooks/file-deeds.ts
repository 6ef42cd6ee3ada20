import type { AdoptPlan, JobRequest, Orphan } from '../../core/index.ts';
import { adoptLines, orphanLine } from '../view/plans.ts';
import { plural } from '../view/units.ts';
import { chosenFiles, chosenOrphans } from './chosen.ts';
import { ask } from './deeds.ts';
import { planAndAsk, startOn, unmark } from './planned.ts';
import type { Session } from './session.ts';

/** Verifies the chosen files: by reading all of each, or its ends only. */
export function verifyChosen(session: Session, quick: boolean) {
  const targets = [...chosenFiles(session.snapshot())];
  unmark(session);
  session.engine.start({ kind: 'verify', targets, ...(quick ? { quick } : {}) });
}

/** Verifies every backup and every completed archive. */
export function verifyAll(session: Session) {
  session.engine.start({ kind: 'verify', targets: 'all' });
}

function askToAdopt(session: Session, files: readonly string[], plan: AdoptPlan) {
  const wanted = plan.items.filter(({ action }) => action === 'adopt');
  const homeless = plan.items.filter(({ fractal, fractal_known, create_fractal }) => {
    return fractal !== null && fractal.name !== null && !fractal_known && !create_fractal;
  });
  const made = new Set(wanted.filter((item) => item.create_fractal).map((item) => item.fractal?.name ?? ''));
  const request: JobRequest = { kind: 'adopt', plan };
  ask(session, {
    title: wanted.length === 0 ? 'Nothing can be adopted' : `Give ${plural(wanted.length, 'file')} a record?`,
    tone: 'info',
    lines: [
      wanted.length === 0 ? '' : 'Each is read to its end first; only one that is whole gets its record.',
      made.size === 0
        ? ''
        : `Made anew: ${made.size === 1 ? 'fractal' : 'fractals'} ${[...made].join(', ')}.`,
    ].filter(Boolean),
    items: plan.items.flatMap((item) => adoptLines(item, session.snapshot().glyphs)),
    options: [
      { key: 'n', label: 'Cancel, nothing happens', safe: true, run: () => {} },
      ...(homeless.length > 0
        ? [
            {
              key: 'f',
              label: 'Plan again, making the missing fractals anew',
              safe: true,
              run: () => void planAdoption(session, files, true),
            },
          ]
        : []),
      ...(wanted.length > 0
        ? [
            {
              key: 'y',
              label: `Adopt ${plural(wanted.length, 'file')}`,
              safe: false,
              run: () => void startOn(session, files, 'being adopted', request),
            },
          ]
        : []),
    ],
  });
}

async function planAdoption(session: Session, files: readonly string[], create_fractals: boolean) {
  session.say('info', `Asking ${plural(files.length, 'file')} what they are`, { quiet: true });
  await planAndAsk(session, {
    deed: 'adoption',
    key: 'a',
    failed: 'Nothing was adopted',
    make: (signal) => session.engine.planAdopt([...files], { create_fractals, signal }),
    ask: (plan) => askToAdopt(session, files, plan),
  });
}

/** Finds out what the chosen files are, and asks whether they are to get records. */
export function adoptChosen(session: Session) {
  const files = chosenOrphans(session.snapshot(), 'adopt').map(({ id }) => id);
  void planAdoption(session, files, false);
}

function keptLines(all: readonly Orphan[], chosen: readonly Orphan[]): string {
  const files = all.filter(({ kind }) => kind === 'file').length;
  const others = all.length - chosen.length - files;
  const parts = [
    files > 0 ? `${plural(files, 'file')} without a record` : '',
    others > 0 ? `${plural(others, 'other orphan')} of this list` : '',
  ].filter(Boolean);
  return `Kept: every finished file${parts.length > 0 ? `, ${parts.join(' and ')}` : ''}.`;
}

/** Asks whether what is lost is to be put right: records marked as failed, leftovers removed. */
export function askToClean(session: Session) {
  const snapshot = session.snapshot();
  const orphans = [...chosenOrphans(snapshot, 'discard', 'fail_record')];
  const gone = orphans.filter(({ actions }) => actions.includes('discard'));
  const records = orphans.length - gone.length;
  const request: JobRequest = { kind: 'clean', orphans };
  const ids = orphans.map(({ id }) => id);
  ask(session, {
    title:
      gone.length > 0
        ? `Remove ${plural(gone.length, 'leftover')} for good?`
        : `Mark ${plural(records, 'record')} as failed?`,
    tone: gone.length > 0 ? 'bad' : 'warn',
    lines: [
      gone.length > 0 ? 'Unfinished files of dead runs are removed; this cannot be undone.' : '',
      records > 0
        ? `${plural(records, 'record')} will say that the archive failed; no file is touched by that.`
        : '',
      keptLines(snapshot.data.orphans.value ?? [], orphans),
    ].filter(Boolean),
    items: orphans.map((orphan) => orphanLine(orphan, snapshot)),
    ...(gone.length > 0 ? { word: `remove ${gone.length}`, typed: '' } : {}),
    options: [
      { key: 'esc', label: 'Cancel, nothing happens', safe: true, run: () => {} },
      {
        key: gone.length > 0 ? 'ctrl-y' : 'y',
        label: gone.length > 0 ? 'Remove' : 'Mark as failed',
        safe: false,
        run: () => void startOn(session, ids, gone.length > 0 ? 'deleting' : 'being marked', request),
      },
    ],
  });
}
