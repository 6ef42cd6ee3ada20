import { asBifractError, type JobRequest } from '../../core/index.ts';
import { listKey, placeOf } from '../view/lists/index.ts';
import type { Session } from './session-type.ts';

/** Drops the marks of the list the user is at. */
export function unmark(session: Session) {
  session.dispatch({ type: 'unmark', key: listKey(placeOf(session.snapshot())) });
}

/** Starts a job on rows, which are shown as being worked on until it has ended. */
export async function startOn(session: Session, ids: readonly string[], doing: string, request: JobRequest) {
  unmark(session);
  session.occupy(ids, doing);
  const { outcome } = session.engine.start(request);
  await outcome;
  session.occupy(ids, undefined);
}

/** Something that is planned before it is asked about. */
export interface Planning<Plan> {
  /** What would be done, and the key that asks for it: `deletion`, `D`. */
  deed: string;
  key: string;
  /** What has not happened where no plan could be made. */
  failed: string;
  make(signal: AbortSignal): Promise<Plan>;
  ask(plan: Plan): void;
}

/** Makes a plan and asks what is to become of it; whoever has gone elsewhere meanwhile is not interrupted. */
export async function planAndAsk<Plan>(session: Session, { deed, key, failed, make, ask }: Planning<Plan>) {
  const { stack } = session.snapshot().ui;
  try {
    const plan = await make(session.ended);
    const { ui } = session.snapshot();
    if (ui.stack !== stack || ui.mode.name !== 'keys')
      return session.say('info', `The ${deed} was not begun: press ${key} again`);
    ask(plan);
  } catch (error) {
    if (session.ended.aborted) return;
    const { message, hint } = asBifractError(error).report();
    session.say('error', `${failed}: ${message}`, { hint });
  }
}

/** Starts the job of a plan, and shows it. */
export function carryOut(session: Session, request: JobRequest) {
  session.wizard.end();
  const { id } = session.engine.start(request);
  session.dispatch({ type: 'go', place: { name: 'jobs' } });
  session.dispatch({ type: 'open', place: { name: 'job', subject: id } });
}
