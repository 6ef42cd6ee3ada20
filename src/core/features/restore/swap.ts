import { setTimeout as wait } from 'node:timers/promises';
import { asBifractError } from '../../contract/errors.ts';
import type { JobContext } from '../../job/context.ts';
import type { DatabaseServer, DatabaseSwap } from '../../ports/database-server.ts';

const WAITS_MS = [200, 500, 1000, 2000, 4000, 8000, 15_000];

/**
 * Swaps the new database with the live one, or renames it if there is none. If the connection breaks during
 * the commit, checks the outcome as soon as the server answers. Returns the number of terminated sessions.
 */
export async function swapDatabases(
  server: DatabaseServer,
  swap: DatabaseSwap,
  replaces: boolean,
  { emit }: JobContext,
): Promise<number> {
  const fresh = await server.find(swap.fresh);
  try {
    if (replaces) return await server.swap(swap);
    await server.rename(swap.fresh, swap.live);
    return 0;
  } catch (thrown) {
    const error = asBifractError(thrown);
    if (error.code !== 'POSTGRES_UNREACHABLE' || fresh === undefined) throw error;
    const live = await findWithRetry(server, swap.live, emit);
    if (live?.oid !== fresh.oid) throw error;
    return 0;
  }
}

async function findWithRetry(server: DatabaseServer, name: string, emit: JobContext['emit']) {
  for (const [attempt, wait_ms] of WAITS_MS.entries()) {
    try {
      return await server.find(name);
    } catch (error) {
      emit('job:retry', { attempt: attempt + 1, wait_ms, reason: asBifractError(error).message });
      await wait(wait_ms);
    }
  }
  return server.find(name);
}
