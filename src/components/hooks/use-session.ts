import { useSyncExternalStore } from 'react';
import type { Snapshot } from '../view/types.ts';
import type { Session } from './session.ts';

/** What the session shows now; draws again when that changes. */
export function useSession(session: Session): Snapshot {
  return useSyncExternalStore(session.subscribe, session.snapshot, session.snapshot);
}
