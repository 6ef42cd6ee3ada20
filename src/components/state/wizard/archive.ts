import type { JobRequest } from '../../../core/index.ts';
import { plural } from '../../../core/text/units.ts';
import { isTypeable } from '../../text/text.ts';
import { JUMP_HINT, notATime, parseJump } from '../../view/jump-time.ts';
import { sourceArchives } from '../../view/wizard/archive-pages.ts';
import type { ArchiveWizard } from '../../view/wizard/types.ts';
import { openPrompt, type Question } from '../dialogs.ts';
import type { Session } from '../session.ts';

/** The initial state of the restore of an archive or a group. */
export function newArchiveWizard(source: string): ArchiveWizard {
  return { kind: 'archive', source, step: 'archive', index: 0, top: 0, replace: false, via: 'direct' };
}

/** Prompts for the name of a fractal to create. */
export function promptFractal(session: Session, { into_new }: ArchiveWizard) {
  openPrompt(session, {
    prefix: 'fractal',
    hint: 'name of the new fractal',
    text: into_new ?? '',
    submit(text) {
      const name = text.trim();
      if (name === '') return 'Enter a name';
      const { fractals } = session.snapshot().data;
      if (fractals.value?.some((fractal) => fractal.name === name)) return 'A fractal with this name exists';
      session.wizard.change({ step: 'rows', into: undefined, into_new: name, replace: false });
      return undefined;
    },
  });
}

/** Prompts for a bound of the time range. */
export function promptBound(session: Session, wizard: ArchiveWizard, bound: 'from' | 'to') {
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
      if (time === undefined) return notATime(text);
      const next = { from: wizard.from, to: wizard.to, [bound]: time };
      if (next.from !== undefined && next.to !== undefined && Date.parse(next.from) >= Date.parse(next.to))
        return 'The end must be later than the start';
      session.wizard.change({ ...next, index: 0 });
      return undefined;
    },
  });
}

export function archiveRequest({ plan }: ArchiveWizard): JobRequest | undefined {
  return plan && { kind: 'restore-archive', plan };
}

export function archiveQuestion({ plan }: ArchiveWizard): Question | undefined {
  if (!plan) return undefined;
  const { into, creates, replace, rows, rows_there } = plan;
  const limit = plan.from === null && plan.to === null ? '' : 'At most ';
  return {
    title: replace ? `Replace rows of ${into.name}?` : `${creates ? 'Create' : 'Add rows to'} ${into.name}?`,
    tone: replace ? 'bad' : 'info',
    lines: [
      `${limit}${plural(rows, 'row')} from ${plural(plan.files.length, 'file')} will be restored.`,
      replace
        ? `${plural(rows_there, 'row')} now in ${into.name} in this time range will be deleted. This cannot be undone.`
        : creates
          ? 'The fractal is created with them.'
          : 'Existing rows are kept.',
    ],
    ...(replace ? { confirmation: isTypeable(into.name) ? into.name : `replace ${rows_there}` } : {}),
    answer: replace ? 'Replace rows' : creates ? 'Create fractal' : 'Add rows',
    key: 'ctrl-y',
  };
}
