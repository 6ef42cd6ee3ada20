import { asBifractError, type JobRequest } from '../../core/index.ts';
import { currentScreen, listKey } from '../view/snapshot.ts';
import type { DialogState, Prompt } from '../view/types.ts';
import type { Session } from './session.ts';

/** Clears the selection of the current list. */
export function clearSelection(session: Session) {
  session.dispatch({ type: 'clearSelection', key: listKey(currentScreen(session.snapshot())) });
}

/** Starts a job on rows and shows `status` (such as `deleting`) in them until it has ended. */
export async function startOnRows(
  session: Session,
  ids: readonly string[],
  status: string,
  request: JobRequest,
) {
  clearSelection(session);
  session.setBusy(ids, status);
  const { outcome } = session.engine.start(request);
  await outcome;
  session.setBusy(ids, undefined);
}

/** An action that is planned before the user confirms it. */
export interface Planning<Plan> {
  /** Name of the action, and its key: `deletion`, `D`. */
  action: string;
  key: string;
  /** Start of the message if planning fails: `Nothing was deleted`. */
  failed: string;
  plan(signal: AbortSignal): Promise<Plan>;
  confirm(plan: Plan): void;
}

/** Makes a plan and asks for confirmation, unless the user has left the screen in the meantime. */
export async function planAndConfirm<Plan>(
  session: Session,
  { action, key, failed, plan, confirm }: Planning<Plan>,
) {
  const { stack } = session.snapshot().ui;
  try {
    const planned = await plan(session.ended);
    const { ui } = session.snapshot();
    if (ui.stack !== stack || ui.mode.name !== 'keys')
      return session.notify(
        'info',
        `The ${action} was not started because you left the screen: press ${key} again`,
      );
    confirm(planned);
  } catch (error) {
    if (session.ended.aborted) return;
    const { message, hint } = asBifractError(error).report();
    session.notify('error', `${failed}: ${message}`, { hint });
  }
}

/** Starts a job and opens its page. */
export function startAndShow(session: Session, request: JobRequest) {
  session.wizard.close();
  const { id } = session.engine.start(request);
  session.dispatch({ type: 'go', screen: { name: 'jobs' } });
  session.dispatch({ type: 'open', screen: { name: 'job', subject: id } });
}

/** Opens a dialog with its first option focused. */
export function openDialog(session: Session, dialog: Omit<DialogState, 'focus'>) {
  session.dispatch({ type: 'mode', mode: { name: 'dialog', dialog: { ...dialog, focus: 0 } } });
}

/** Opens a prompt for a line of text. */
export function openPrompt(session: Session, prompt: Prompt) {
  session.dispatch({ type: 'mode', mode: { name: 'prompt', prompt } });
}
