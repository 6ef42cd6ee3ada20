import { BifractError } from '../../contract/errors.ts';
import type { Storage } from '../../ports/storage.ts';

/** Maximum lead of a name over the clock. */
const MOST_SECONDS = 60;

/**
 * The first unused name from that time on: a second file within the same second takes the name of the next
 * second. `EXISTS` if all names of the next minute are taken.
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
    `No free file name in ${storage.location}: all names of the next minute, from ${nameAt(from)}, are taken`,
    { hint: 'Check the clock of this machine.' },
  );
}
