import type { ArchiveRestoreQuery } from '../../../core/index.ts';
import { plural } from '../../../core/text/units.ts';
import { isTypeable } from '../../text/text.ts';
import { JUMP_HINT, parseJump } from '../../view/jump-time.ts';
import { intoChoices, sourceArchives } from '../../view/wizard/archive-pages.ts';
import type { ArchiveWizard } from '../../view/wizard/types.ts';
import { openDialog, openPrompt, startAndShow } from '../plan-dialog.ts';
import type { Session } from '../session.ts';

/** The initial state of the restore of an archive or a group. */
export function newArchiveWizard(source: string): ArchiveWizard {
  return { kind: 'archive', source, step: 'archive', index: 0, top: 0, replace: false, via: 'direct' };
}

/** Plans the restore. */
export function planArchive(session: Session, { source, into, from, to, replace, via }: ArchiveWizard) {
  const query: ArchiveRestoreQuery = { source, into, from, to, replace, via };
  session.wizard.plan((signal) => session.engine.planArchiveRestore({ ...query, signal }));
}

function promptBound(session: Session, wizard: ArchiveWizard, bound: 'from' | 'to') {
  const files = sourceArchives(session.snapshot(), wizard.source);
  // A time without a date refers to the first day of the archive.
  const base = wizard.from ?? files.map((file) => file.time_range_start).toSorted()[0] ?? null;
  openPrompt(session, {
    prefix: bound,
    hint: `${JUMP_HINT}; empty: ${bound === 'from' ? 'first row' : 'last row'}`,
    text: wizard[bound] ?? '',
    submit(text) {
      if (text.trim() === '') return session.wizard.change({ [bound]: undefined, index: 0 }) as undefined;
      const time = parseJump(text, base);
      if (time === undefined) return 'Invalid time';
      const next = { from: wizard.from, to: wizard.to, [bound]: time };
      if (next.from !== undefined && next.to !== undefined && Date.parse(next.from) >= Date.parse(next.to))
        return 'The end must be later than the start';
      session.wizard.change({ ...next, index: 0 });
      return undefined;
    },
  });
}

function confirm(session: Session, { plan }: ArchiveWizard) {
  if (!plan) return;
  const { into, replace, rows, rows_there } = plan;
  const limit = plan.from === null && plan.to === null ? '' : 'At most ';
  openDialog(session, {
    title: replace ? `Replace rows of ${into.name}?` : `Add rows to ${into.name}?`,
    tone: replace ? 'bad' : 'info',
    lines: [
      `${limit}${plural(rows, 'row')} from ${plural(plan.files.length, 'file')} will be restored.`,
      replace
        ? `${plural(rows_there, 'row')} now in ${into.name} in that time range will be deleted. This cannot be undone.`
        : 'Existing rows are kept.',
    ],
    ...(replace
      ? { confirmation: isTypeable(into.name) ? into.name : `replace ${rows_there}`, typed: '' }
      : {}),
    options: [
      { key: 'esc', label: 'Cancel', safe: true, run: () => {} },
      {
        key: 'ctrl-y',
        label: replace ? 'Replace rows' : 'Add rows',
        safe: false,
        run: () => startAndShow(session, { kind: 'restore-archive', plan }),
      },
    ],
  });
}

function next(session: Session, wizard: ArchiveWizard) {
  const { wizard: store } = session;
  switch (wizard.step) {
    case 'archive': {
      const choices = intoChoices(wizard, session.snapshot());
      const index = Math.max(
        0,
        choices.findIndex(({ checked: on }) => on),
      );
      return store.change({ step: 'into', index });
    }
    case 'rows':
      return store.change({ step: 'how', index: Number.MAX_SAFE_INTEGER });
    case 'how':
      store.change({ step: 'plan' });
      return planArchive(session, wizard);
    case 'plan':
      return confirm(session, wizard);
  }
}

/** Applies a choice of the current page. */
export function applyArchiveChoice(session: Session, wizard: ArchiveWizard, id: string) {
  const { wizard: store } = session;
  if (wizard.step === 'into' && id !== 'again') return store.change({ step: 'rows', into: id });
  switch (id) {
    case 'next':
      return next(session, wizard);
    case 'again':
      return planArchive(session, wizard);
    case 'from':
    case 'to':
      return promptBound(session, wizard, id);
    case 'all':
      return store.change({ from: undefined, to: undefined, index: 0 });
    case 'direct':
    case 'ingest':
      return store.change({ via: id });
    case 'replace':
      return store.change({ replace: !wizard.replace });
  }
}
