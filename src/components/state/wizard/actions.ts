import { listAt } from '../../view/lists/index.ts';
import { currentScreen } from '../../view/snapshot.ts';
import { stepBefore, wizardView } from '../../view/wizard/index.ts';
import type { WizardEffect, WizardState } from '../../view/wizard/types.ts';
import { ask, startAndShow } from '../dialogs.ts';
import { selectedRestoreSource } from '../selection.ts';
import type { Session } from '../session.ts';
import { archiveQuestion, archiveRequest, newArchiveWizard, promptBound, promptFractal } from './archive.ts';
import { backupQuestion, backupRequest, newBackupWizard, promptDatabase } from './backup.ts';

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
  const shown = wizardView(session.snapshot());
  const choice = shown?.page.choices[shown.view.index];
  if (!choice || (only && choice.checked === undefined)) return;
  if (choice.disabled !== undefined) return session.notify('warn', `Cannot continue: ${choice.disabled}`);
  return applyEffect(session, choice.effect);
}

function applyEffect(session: Session, effect: WizardEffect) {
  const { wizard: store } = session;
  if (effect.do === 'change') return store.change(effect.change);
  if (effect.do === 'plan') {
    store.change({ ...effect.change, step: 'plan' });
    return makePlan(session);
  }
  const wizard = store.state();
  if (effect.do === 'confirm') return confirm(session, wizard);
  const { text } = effect;
  if (text !== 'database') {
    if (wizard?.kind !== 'archive') return;
    return text === 'fractal' ? promptFractal(session, wizard) : promptBound(session, wizard, text);
  }
  promptDatabase(session, (database) =>
    applyEffect(session, { do: 'plan', change: { target: { kind: 'beside', database } } }),
  );
}

/** Makes the plan of the stored choices. */
function makePlan({ wizard: store, engine }: Session) {
  const wizard = store.state();
  if (wizard?.kind === 'backup') {
    const { source: file, target, no_owner, no_privileges, no_tablespaces } = wizard;
    const query = { file, target, no_owner, no_privileges, no_tablespaces };
    store.plan((signal, onProgress) => engine.planRestore(query, { signal, onProgress }));
  }
  if (wizard?.kind === 'archive') {
    const { source, into, into_new, from, to, replace, via } = wizard;
    store.plan((signal) =>
      engine.planArchiveRestore({ source, into, into_new, from, to, replace, via, signal }),
    );
  }
}

/** Asks for confirmation of the plan and starts it. */
function confirm(session: Session, wizard: WizardState | undefined) {
  if (!wizard?.plan) return;
  const request = wizard.kind === 'backup' ? backupRequest(wizard) : archiveRequest(wizard);
  const question = wizard.kind === 'backup' ? backupQuestion(wizard) : archiveQuestion(wizard);
  if (request && question) ask(session, question, () => startAndShow(session, request));
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
    return session.wizard.change({ index, choice: page.choices[index]?.id });
  }
  const steps = rows + Math.round(pages * Math.max(1, view.textHeight - 1));
  const top = to === 'first' ? 0 : to === 'last' ? view.lastTop : view.top + steps;
  session.wizard.change({ top: Math.max(0, Math.min(view.lastTop, top)) });
}

/** Goes back one step and stops planning; on the first step, cancels the restore. */
export function stepBack(session: Session) {
  const { wizard: store } = session;
  const wizard = store.state();
  if (!wizard) return session.dispatch({ type: 'back' });
  const before = stepBefore(wizard);
  if (before === undefined) return cancelWizard(session);
  if (store.stop()) session.notify('info', 'Planning stopped; nothing has been changed');
  store.change({ step: before });
}

/** Discards the wizard and leaves it. */
export function cancelWizard(session: Session) {
  session.wizard.close();
  const snapshot = session.snapshot();
  if (currentScreen(snapshot).name === 'wizard' || !listAt(currentScreen(snapshot)))
    session.dispatch({ type: 'back' });
  session.notify('info', 'Restore cancelled; nothing has been changed');
}
