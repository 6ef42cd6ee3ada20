import { BifractError } from '../errors.ts';
import type { Storage } from '../ports/storage.ts';

/** How far ahead of the clock a name may be. */
const MOST_SECONDS = 60;

/**
 * The first name from that time on that no object has: a second file within one second takes the next second's
 * name, so that names never collide and nothing is replaced. `EXISTS` where the next minute's are all taken.
 */
export async function freeName(
  storage: Storage,
  from: Date,
  nameAt: (time: Date) => string,
  signal: AbortSignal,
): Promise<string> {
  for (let ahead = 0; ahead < MOST_SECONDS; ahead++) {
    const name = nameAt(new Date(from.getTime() + ahead * 1000));
    if (!(await storage.stat(name, { signal }))) return name;
  }
  throw new BifractError(
    'EXISTS',
    `No free name from ${nameAt(from)} on, for a minute, in ${storage.location}`,
    { hint: 'Check the clock of this machine.' },
  );
}
