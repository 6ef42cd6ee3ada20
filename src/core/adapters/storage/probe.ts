import { randomBytes } from 'node:crypto';
import { asBifractError } from '../../contract/errors.ts';
import type { Storage, StorageHealth } from '../../ports/storage.ts';
import type { CallOptions } from '../../ports/types.ts';

/** Prefix of the names of probe objects. */
export const PROBE_PREFIX = 'bifract-probe-';
const STALE_MS = 3_600_000;

/**
 * Writes, reads, lists and deletes a small object. A failing storage is a result; throws only if the signal aborts.
 * Also removes old objects of killed probes.
 */
export async function probeStorage(
  storage: Storage,
  options: CallOptions & { prefix?: string } = {},
): Promise<StorageHealth> {
  try {
    await roundTrip(storage, options);
    return { ok: true, detail: 'Write, read, list and delete work' };
  } catch (error) {
    options.signal?.throwIfAborted();
    return unhealthy(error);
  }
}

export function unhealthy(error: unknown): StorageHealth {
  const { message, hint } = asBifractError(error);
  return { ok: false, detail: hint ? `${message}. ${hint}` : message };
}

async function roundTrip(
  storage: Storage,
  { prefix = '', ...options }: CallOptions & { prefix?: string },
): Promise<void> {
  const content = randomBytes(64);
  const name = `${prefix}${PROBE_PREFIX}${randomBytes(8).toString('hex')}`;
  await storage.put(name, single(content), options);
  try {
    const read = await storage.read(name, 0, content.length, options);
    if (!read.equals(content)) throw new Error('The object read back differs from the one written');
    if (!(await listed(storage, prefix, name, options))) throw new Error('The written object is not listed');
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

async function* single(content: Buffer): AsyncGenerator<Buffer> {
  yield content;
}
