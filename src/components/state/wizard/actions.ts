import { listAt } from '../../view/lists/index.ts';
import { currentScreen } from '../../view/snapshot.ts';
import { wizardView } from '../../view/wizard/index.ts';
import type { WizardState } from '../../view/wizard/types.ts';
import { selectedRestoreSource } from '../selection.ts';
import type { Session } from '../session.ts';
import { applyArchiveChoice, newArchiveWizard } from './archive.ts';
import { applyBackupChoice, newBackupWizard } from './backup.ts';

const STEPS = {
  backup: ['file', 'target', 'plan'],
  archive: ['archive', 'into', 'rows', 'how', 'plan'],
} as const satisfies Record<WizardState['kind'], readonly WizardState['step'][]>;

/** Opens the restore of the backup or archive under the cursor or on the screen; continues one that is open already. */
export function openWizard(session: Session) {
  const chosen = selectedRestoreSource(session.snapshot());
  if (!chosen) return;
  const { kind, id } = chosen;
  const current = session.wizard.state();
  const same = current?.kind === kind && current.source === id;
  if (!same) session.wizard.open(kind === 'backup' ? newBackupWizard(id) : newArchiveWizard(id));
  session.dispatch({ type: 'open', screen: { name: 'wizard', subject: id } });
  if (same) session.notify('info', 'Continuing this restore where you left it; press x to cancel it');
}

/** Applies the choice under the cursor, or reports why that is not possible. */
export function applyChoice(session: Session, only?: 'toggle') {
  const { wizard } = session.snapshot();
  const shown = wizardView(session.snapshot());
  const choice = shown?.page.choices[shown.view.index];
  if (!wizard || !choice || (only && choice.checked === undefined)) return;
  if (choice.disabled !== undefined) return session.notify('warn', `Cannot continue: ${choice.disabled}`);
  return wizard.kind === 'backup'
    ? applyBackupChoice(session, wizard, choice.id)
    : applyArchiveChoice(session, wizard, choice.id);
}

/** Moves between the choices, or scrolls the text if there is only one. `pages` and `to` scroll the text. */
export function moveInWizard(
  session: Session,
  { rows = 0, pages = 0, to }: { rows?: number; pages?: number; to?: 'first' | 'last' },
) {
  const shown = wizardView(session.snapshot());
  if (!shown) return;
  const { page, view } = shown;
  const several = page.choices.length > 1;
  if (rows !== 0 && several) {
    const index = Math.max(0, Math.min(page.choices.length - 1, view.index + rows));
    return session.wizard.change({ index });
  }
  const steps = rows + pages * Math.max(1, view.textHeight - 1);
  const top = to === 'first' ? 0 : to === 'last' ? view.lastTop : view.top + steps;
  session.wizard.change({ top: Math.max(0, Math.min(view.lastTop, top)) });
}

/** Goes back one step and stops planning; on the first step, cancels the restore. */
export function stepBack(session: Session) {
  const { wizard: store } = session;
  const wizard = store.state();
  if (!wizard) return session.dispatch({ type: 'back' });
  const steps: readonly WizardState['step'][] = STEPS[wizard.kind];
  const before = steps[steps.indexOf(wizard.step) - 1];
  if (before === undefined) return cancelWizard(session);
  if (store.stop()) session.notify('info', 'Planning stopped; nothing has been changed');
  store.change({ step: before });
}

/** Discards the wizard and leaves it. */
export function cancelWizard(session: Session) {
  session.wizard.close();
  session.notify('info', 'Restore cancelled; nothing has been changed');
  const snapshot = session.snapshot();
  if (currentScreen(snapshot).name === 'wizard' || !listAt(currentScreen(snapshot)))
    session.dispatch({ type: 'back' });
}
