import { randomBytes } from 'node:crypto';
import { asBifractError } from '../errors.ts';
import type { Storage, StorageHealth } from '../ports/storage.ts';
import type { CallOptions } from '../ports/types.ts';

/** What the names of probes begin with. */
export const PROBE_PREFIX = 'bifract-probe-';
const STALE_MS = 3_600_000;

/**
 * Writes, reads, lists and deletes a small object. A storage that fails is an answer; only the signal makes
 * it throw. Removes what a killed probe left behind.
 */
export async function probeStorage(
  storage: Storage,
  options: CallOptions & { prefix?: string } = {},
): Promise<StorageHealth> {
  try {
    await roundTrip(storage, options);
    return { ok: true, detail: 'Writes, reads, lists and deletes' };
  } catch (error) {
    options.signal?.throwIfAborted();
    return failing(error);
  }
}

/** The health of a storage that fails so. */
export function failing(error: unknown): StorageHealth {
  const { message, hint } = asBifractError(error);
  return { ok: false, detail: hint ? `${message}. ${hint}` : message };
}

async function roundTrip(
  storage: Storage,
  { prefix = '', ...options }: CallOptions & { prefix?: string },
): Promise<void> {
  const content = randomBytes(64);
  const name = `${prefix}${PROBE_PREFIX}${randomBytes(8).toString('hex')}`;
  await storage.put(name, once(content), options);
  try {
    const read = await storage.read(name, 0, content.length, options);
    if (!read.equals(content)) throw new Error('What was written is read back differently');
    if (!(await listed(storage, prefix, name, options))) throw new Error('What was written is not listed');
  } finally {
    await storage.delete(name);
  }
}

async function listed(
  storage: Storage,
  prefix: string,
  name: string,
  options: CallOptions,
): Promise<boolean> {
  let found = false;
  for await (const object of storage.list(prefix + PROBE_PREFIX, options)) {
    if (object.name === name) found = true;
    else if (Date.now() - Date.parse(object.modified_at) > STALE_MS)
      await storage.delete(object.name, options);
  }
  return found;
}

async function* once(content: Buffer): AsyncGenerator<Buffer> {
  yield content;
}
