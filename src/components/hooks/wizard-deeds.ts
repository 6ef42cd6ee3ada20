import { listAt, placeOf } from '../view/lists/index.ts';
import { wizardView } from '../view/wizard/index.ts';
import type { WizardState } from '../view/wizard/types.ts';
import { newArchiveWizard, takeOfArchive } from './archive-wizard.ts';
import { newBackupWizard, takeOfBackup } from './backup-wizard.ts';
import { chosenRestore } from './chosen.ts';
import type { Session } from './session.ts';

const STEPS = {
  backup: ['file', 'target', 'plan'],
  archive: ['archive', 'into', 'rows', 'how', 'plan'],
} as const satisfies Record<WizardState['kind'], readonly WizardState['step'][]>;

/** Begins the restore of what is under the cursor or on the screen; one of it that was begun goes on. */
export function openWizard(session: Session) {
  const chosen = chosenRestore(session.snapshot());
  if (!chosen) return;
  const { kind, id } = chosen;
  const begun = session.wizard.state();
  const same = begun?.kind === kind && begun.source === id;
  if (!same) session.wizard.begin(kind === 'backup' ? newBackupWizard(id) : newArchiveWizard(id));
  session.dispatch({ type: 'open', place: { name: 'wizard', subject: id } });
  if (same) session.say('info', 'This restore was begun before: it goes on where it was. x gives it up');
}

/** Takes the choice under the cursor, or says why not. */
export function takeChoice(session: Session, only?: 'switch') {
  const { wizard } = session.snapshot();
  const shown = wizardView(session.snapshot());
  const choice = shown?.page.choices[shown.view.index];
  if (!wizard || !choice || (only && choice.on === undefined)) return;
  if (choice.disabled !== undefined) return session.say('warn', `Cannot go on: ${choice.disabled}`);
  return wizard.kind === 'backup'
    ? takeOfBackup(session, wizard, choice.id)
    : takeOfArchive(session, wizard, choice.id);
}

/** Moves among the choices, or through the text where there is nothing to choose from. Pages scroll the text. */
export function moveInWizard(
  session: Session,
  { rows = 0, pages = 0, to }: { rows?: number; pages?: number; to?: 'first' | 'last' },
) {
  const shown = wizardView(session.snapshot());
  if (!shown) return;
  const { page, view } = shown;
  const among = page.choices.length > 1;
  if (rows !== 0 && among) {
    const index = Math.max(0, Math.min(page.choices.length - 1, view.index + rows));
    return session.wizard.change({ index });
  }
  const steps = rows + pages * Math.max(1, view.room - 1);
  const top = to === 'first' ? 0 : to === 'last' ? view.lastTop : view.top + steps;
  session.wizard.change({ top: Math.max(0, Math.min(view.lastTop, top)) });
}

/** One step back: what is being planned stops first, and before the first step the wizard is left. */
export function stepBack(session: Session) {
  const { wizard: hold } = session;
  const wizard = hold.state();
  if (!wizard) return session.dispatch({ type: 'back' });
  const steps: readonly WizardState['step'][] = STEPS[wizard.kind];
  const before = steps[steps.indexOf(wizard.step) - 1];
  if (before === undefined) return giveUp(session);
  if (hold.stop()) session.say('info', 'The planning was stopped; nothing has happened');
  hold.change({ step: before });
}

/** Leaves the wizard for good. */
export function giveUp(session: Session) {
  session.wizard.end();
  session.say('info', 'The restore was not begun; nothing has happened');
  const snapshot = session.snapshot();
  if (placeOf(snapshot).name === 'wizard' || !listAt(placeOf(snapshot))) session.dispatch({ type: 'back' });
}
