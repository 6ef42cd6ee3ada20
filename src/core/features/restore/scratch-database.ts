import { setTimeout as wait } from 'node:timers/promises';
import { asBifractError } from '../../contract/errors.ts';
import type { JobContext } from '../../job/context.ts';
import type { DatabaseServer } from '../../ports/database-server.ts';
import type { State } from '../../ports/state.ts';

/** Waits for about half a minute in all: PostgreSQL may be restarting. */
const WAITS_MS = [200, 500, 1000, 2000, 4000, 8000, 15_000];

/** Name of a database that a job creates for itself. */
export function scratchName(purpose: 'restore' | 'drill' | 'replaced', job: string): string {
  return `bifract_${purpose}_${job.replace(/^[a-z]+-/, '').replaceAll('-', '_')}`;
}

/** Whether a job created the database for itself: no other is ever dropped. */
export function isScratchName(name: string): boolean {
  return /^bifract_(restore|drill|replaced)_[0-9a-z_]+$/.test(name);
}

/**
 * Drops the databases of a job. Never throws. Returns false after a warning if that fails: the job record
 * must then be kept so that the next start drops them.
 */
export async function dropScratch(
  server: DatabaseServer,
  names: string[],
  { emit }: Pick<JobContext, 'emit'>,
): Promise<boolean> {
  for (let attempt = 0; ; attempt++) {
    try {
      for (const name of names) await server.drop(name);
      return true;
    } catch (error) {
      const { code, message } = asBifractError(error);
      const wait_ms = code === 'POSTGRES_UNREACHABLE' ? WAITS_MS[attempt] : undefined;
      if (wait_ms === undefined) {
        emit('job:warning', {
          message: `Could not drop ${names.join(', ')}: ${message}. It is tried again at the next start of bifract.`,
        });
        return false;
      }
      emit('job:retry', { attempt: attempt + 1, wait_ms, reason: message });
      await wait(wait_ms);
    }
  }
}

/** Removes the job record if nothing is left to clean up. */
export async function removeRecordIf(clean: boolean, state: State, id: string): Promise<void> {
  if (clean) await state.remove(id);
}
