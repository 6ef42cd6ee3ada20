import { asBifractError } from '../../core/index.ts';
import type { Preferences } from './preferences.ts';
import type { Session } from './session.ts';

/** What is done once the first frame is drawn: load, remember, put right what dead runs left, and say so. */
export function startUp(session: Session, preferences: () => Promise<Preferences>): void {
  session.load();
  preferences().then(session.prefer, (error: unknown) => {
    session.say('warn', `What was remembered cannot be read: ${asBifractError(error).message}`);
  });
  if (!session.snapshot().read_only) keepRight(session);
}

/** Puts right what dead jobs left, now and whenever one dies or leaves something to be ended. */
function keepRight(session: Session): void {
  let running = false;
  let again = false;
  const work = async () => {
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
    if (event.event === 'job:failed' || event.event === 'job:cancelled') void work();
  });
  session.ended.addEventListener('abort', stop, { once: true });
  void work();
}

async function recover(session: Session): Promise<void> {
  try {
    const done = await session.engine.recover();
    for (const sentence of done) session.say('warn', sentence);
    if (done.length > 0) session.refresh();
  } catch {
    // What cannot be reached now says so by its health; the next job tries again.
  }
}
