import type { ArchiveRestoreQuery } from '../../core/index.ts';
import { JUMP_HINT, parseJump } from '../view/jump-time.ts';
import { canBeTyped } from '../view/typing.ts';
import { plural } from '../view/units.ts';
import { intoChoices } from '../view/wizard/archive-pages.ts';
import { sourceArchives } from '../view/wizard/source.ts';
import type { ArchiveWizard } from '../view/wizard/types.ts';
import { ask, askLine } from './deeds.ts';
import { carryOut } from './planned.ts';
import type { Session } from './session.ts';

/** The restore of an archive or a group, before anything is chosen. */
export function newArchiveWizard(source: string): ArchiveWizard {
  return { kind: 'archive', source, step: 'archive', index: 0, top: 0, replace: false, via: 'direct' };
}

/** Makes the plan of what was chosen. */
export function planArchive(session: Session, { source, into, from, to, replace, via }: ArchiveWizard) {
  const query: ArchiveRestoreQuery = { source, into, from, to, replace, via };
  session.wizard.plan((signal) => session.engine.planArchiveRestore({ ...query, signal }));
}

function askBound(session: Session, wizard: ArchiveWizard, bound: 'from' | 'to') {
  const files = sourceArchives(session.snapshot(), wizard.source);
  // A time of day is of the first day that the archive holds.
  const base = wizard.from ?? files.map((file) => file.time_range_start).toSorted()[0] ?? null;
  askLine(session, {
    sign: bound,
    hint: `${JUMP_HINT}; empty: ${bound === 'from' ? 'from the first row on' : 'to the last row'}`,
    text: wizard[bound] ?? '',
    take(text) {
      if (text.trim() === '') return session.wizard.change({ [bound]: undefined, index: 0 }) as undefined;
      const time = parseJump(text, base);
      if (time === undefined) return 'This is no time';
      const next = { from: wizard.from, to: wizard.to, [bound]: time };
      if (next.from !== undefined && next.to !== undefined && Date.parse(next.from) >= Date.parse(next.to))
        return 'The end must be after the beginning';
      session.wizard.change({ ...next, index: 0 });
      return undefined;
    },
  });
}

function confirm(session: Session, { plan }: ArchiveWizard) {
  if (!plan) return;
  const { into, replace, rows, rows_there } = plan;
  const bound = plan.from === null && plan.to === null ? '' : 'At most ';
  ask(session, {
    title: replace ? `Replace rows of ${into.name}?` : `Add rows to ${into.name}?`,
    tone: replace ? 'bad' : 'info',
    lines: [
      `${bound}${plural(rows, 'row')} of ${plural(plan.files.length, 'file')} will be brought back.`,
      replace
        ? `${plural(rows_there, 'row')} of that time that ${into.name} holds now will be taken away for good.`
        : 'Nothing that is there is taken away.',
    ],
    ...(replace ? { word: canBeTyped(into.name) ? into.name : `replace ${rows_there}`, typed: '' } : {}),
    options: [
      { key: 'esc', label: 'Not yet, nothing happens', safe: true, run: () => {} },
      {
        key: 'ctrl-y',
        label: replace ? 'Replace them' : 'Add them',
        safe: false,
        run: () => carryOut(session, { kind: 'restore-archive', plan }),
      },
    ],
  });
}

function next(session: Session, wizard: ArchiveWizard) {
  const { wizard: hold } = session;
  switch (wizard.step) {
    case 'archive': {
      const choices = intoChoices(wizard, session.snapshot());
      const index = Math.max(
        0,
        choices.findIndex(({ on }) => on),
      );
      return hold.change({ step: 'into', index });
    }
    case 'rows':
      return hold.change({ step: 'how', index: Number.MAX_SAFE_INTEGER });
    case 'how':
      hold.change({ step: 'plan' });
      return planArchive(session, wizard);
    case 'plan':
      return confirm(session, wizard);
  }
}

/** Takes a choice of the page that is shown. */
export function takeOfArchive(session: Session, wizard: ArchiveWizard, id: string) {
  const { wizard: hold } = session;
  if (wizard.step === 'into' && id !== 'again') return hold.change({ step: 'rows', into: id });
  switch (id) {
    case 'next':
      return next(session, wizard);
    case 'again':
      return planArchive(session, wizard);
    case 'from':
    case 'to':
      return askBound(session, wizard, id);
    case 'all':
      return hold.change({ from: undefined, to: undefined, index: 0 });
    case 'direct':
    case 'ingest':
      return hold.change({ via: id });
    case 'replace':
      return hold.change({ replace: !wizard.replace });
  }
}
