import { asBifractError } from '../../core/index.ts';
import { isUnusable } from '../view/setup.ts';
import { openSetup } from './context-actions.ts';
import type { Preferences } from './preferences.ts';
import type { Session } from './session.ts';

/** Runs once the first frame is drawn: loads data and preferences, and recovers interrupted jobs unless read-only. */
export function startUp(session: Session, preferences: () => Promise<Preferences>): void {
  session.load();
  showMissing(session);
  preferences().then(session.applyPreferences, (error: unknown) => {
    session.notify('warn', `Cannot read the saved preferences: ${asBifractError(error).message}`);
  });
  if (!session.snapshot().read_only) keepRecovering(session);
}

/** Opens the setup page if this is no working installation, unless the user is already somewhere else. */
function showMissing(session: Session): void {
  const unsubscribe = session.subscribe(() => {
    const { ui, data } = session.snapshot();
    if (!data.health.value && !data.health.error) return;
    unsubscribe();
    const isUntouched = ui.stack.length === 1 && ui.stack[0].name === 'overview' && ui.mode.name === 'keys';
    if (isUntouched && isUnusable(session.snapshot())) openSetup(session);
  });
}

/** Recovers interrupted jobs now and after every job that fails or is cancelled. */
function keepRecovering(session: Session): void {
  let running = false;
  let again = false;
  const recoverAll = async () => {
    again = true;
    if (running) return;
    running = true;
    while (again && !session.ended.aborted) {
      again = false;
      await recover(session);
    }
    running = false;
  };
  const stop = session.engine.subscribe((event) => {
    if (event.event === 'job:failed' || event.event === 'job:cancelled') void recoverAll();
  });
  session.ended.addEventListener('abort', stop, { once: true });
  void recoverAll();
}

async function recover(session: Session): Promise<void> {
  try {
    const { done, leftovers } = await session.engine.recover();
    for (const message of done) session.notify('warn', message);
    if (done.length + leftovers.length > 0) session.refresh();
  } catch {
    // The health status shows what is unreachable; the next failed job triggers another attempt.
  }
}
