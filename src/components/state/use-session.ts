import { useSyncExternalStore } from 'react';
import type { Snapshot } from '../view/types.ts';
import type { Session } from './session.ts';

/** The current snapshot of the session; renders again when it changes. */
export function useSession(session: Session): Snapshot {
  return useSyncExternalStore(session.subscribe, session.snapshot, session.snapshot);
}
