import { asBifractError, type JobRequest } from '../../core/index.ts';
import { currentScreen, listKey } from '../view/snapshot.ts';
import type { DialogOption, DialogState, Prompt } from '../view/types.ts';
import type { Session } from './session.ts';

/** An action on rows that is planned, confirmed, and then run as one job. */
export interface PlannedAction<Plan> {
  /** Name of the action, and its key: `deletion`, `D`. */
  name: string;
  key: string;
  /** Start of the message if planning fails: `Nothing was deleted`. */
  failed: string;
  /** What the rows show until the job has ended: `deleting`. */
  status: string;
  plan(signal: AbortSignal): Promise<Plan>;
  /** The rows that the plan acts on. */
  ids(plan: Plan): readonly string[];
  question(plan: Plan): Question;
  request(plan: Plan): JobRequest;
}

/** Makes a plan, asks for confirmation unless the user has left the screen in the meantime, and starts the job. */
export async function planAndRun<Plan>(session: Session, action: PlannedAction<Plan>) {
  const { stack } = session.snapshot().ui;
  try {
    const plan = await action.plan(session.ended);
    const { ui } = session.snapshot();
    if (ui.stack !== stack || ui.mode.name !== 'keys') return notifyScreenLeft(session, action);
    // The message that the planning is running is outdated; others are kept.
    if (ui.statusMessage?.severity === 'info') session.dispatch({ type: 'clearMessage' });
    ask(session, action.question(plan), () =>
      startOnRows(session, action.ids(plan), action.status, action.request(plan)),
    );
  } catch (error) {
    if (session.ended.aborted) return;
    const { message, hint } = asBifractError(error).report();
    session.notify('error', `${action.failed}: ${message}`, { hint });
  }
}

function notifyScreenLeft(session: Session, { name, key }: Pick<PlannedAction<unknown>, 'name' | 'key'>) {
  const start = `${name.charAt(0).toUpperCase()}${name.slice(1)}`;
  session.notify('info', `${start} not started: you left the screen. Press ${key} again.`);
}

/** A question with one answer that changes something. */
export interface Question extends Omit<DialogState, 'focus' | 'options' | 'typed'> {
  /** The answer; without it there is nothing to do. */
  answer?: string;
  /** Its key, by default `y`, or Ctrl-Y if a confirmation is typed before it. */
  key?: string;
  /** More safe answers. */
  more?: readonly DialogOption[];
}

/** Asks a question; `run` is its answer. Esc and Enter cancel. */
export function ask(session: Session, { answer, key, more = [], ...dialog }: Question, run: () => void) {
  const typed = dialog.confirmation === undefined ? {} : { typed: '' };
  const answerKey = key ?? (dialog.confirmation === undefined ? 'y' : 'ctrl-y');
  openDialog(session, {
    ...dialog,
    ...typed,
    options: [
      { key: 'esc', label: answer === undefined ? 'Close' : 'Cancel', safe: true, run: () => {} },
      ...more,
      ...(answer === undefined ? [] : [{ key: answerKey, label: answer, safe: false, run }]),
    ],
  });
}

/** Opens a dialog with its first option focused. */
export function openDialog(session: Session, dialog: Omit<DialogState, 'focus'>) {
  session.dispatch({ type: 'mode', mode: { name: 'dialog', dialog: { ...dialog, focus: 0 } } });
}

/** Opens a dialog with one option for each value; the current one, if there is one, has the focus. */
export function chooseValue<Value extends string>(
  session: Session,
  choice: {
    title: string;
    line: string;
    values: readonly (readonly [value: Value, key: string, label: string])[];
    current: string | undefined;
    run(value: Value): void;
  },
) {
  const { title, line, values, current, run } = choice;
  const options = values.map(
    ([value, key, label]): DialogOption => ({
      key,
      label: value === current ? `${label} (current setting)` : label,
      safe: true,
      run: () => run(value),
    }),
  );
  openDialog(session, { title, tone: 'info', lines: [line], options });
  const focus = values.findIndex(([value]) => value === current);
  session.dispatch({ type: 'focus', by: Math.max(0, focus) });
}

/** Opens a prompt for a line of text. */
export function openPrompt(session: Session, prompt: Prompt) {
  session.dispatch({ type: 'mode', mode: { name: 'prompt', prompt } });
}

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
  const { outcome } = session.startJob(request);
  await outcome;
  session.setBusy(ids, undefined);
}

/** Starts a job and opens its page. */
export function startAndShow(session: Session, request: JobRequest) {
  session.wizard.close();
  const { id } = session.startJob(request);
  session.dispatch({ type: 'go', screen: { name: 'jobs' } });
  session.dispatch({ type: 'open', screen: { name: 'job', subject: id } });
}
