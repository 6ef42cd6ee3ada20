import { randomBytes } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { errno, WrongType } from '../files/errors.ts';
import type { OpenFolder } from '../files/open-folder.ts';
import { stateError } from './open-state.ts';
import { identityOf, isRunning, type ProcessIdentity } from './process-identity.ts';

const POLL_MS = 100;
const MAX_BYTES = 4 << 10;
const FULL = new Set(['ENOSPC', 'EDQUOT']);
const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

/**
 * Runs `work` under a lock file that names its process. Waits while another process holds the lock, and takes over the
 * lock of one that has ended.
 */
export async function withFileLock<T>(
  folder: OpenFolder,
  name: string,
  work: () => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const ownFile = `.lone-${randomBytes(6).toString('hex')}`;
  const self = (await identityOf(process.pid)) ?? { pid: process.pid, start: '', boot: '' };
  try {
    await using file = await folder.create(ownFile);
    await file.writeFile(JSON.stringify(self));
  } catch (error) {
    await folder.unlink(ownFile).catch(() => undefined);
    // The work may be the cleanup that frees space on a full disk.
    if (FULL.has(errno(error) ?? '')) return work();
    throw stateError(`Cannot write ${folder.pathOf(ownFile)}`, error);
  }
  try {
    while (!(await acquire(folder, ownFile, name))) {
      await wait(POLL_MS, undefined, { signal }).catch(() => signal?.throwIfAborted());
    }
    try {
      return await work();
    } finally {
      await folder.unlink(name);
    }
  } finally {
    await folder.unlink(ownFile);
  }
}

async function acquire(folder: OpenFolder, ownFile: string, name: string): Promise<boolean> {
  try {
    await folder.link(ownFile, name);
    return true;
  } catch (error) {
    // Without hard links there is no lock, but the work must be done.
    if (NO_LINKS.has(errno(error) ?? '')) return true;
    if (errno(error) !== 'EEXIST') throw error;
  }
  if (!(await isHeld(folder, name))) await removeStale(folder, name, `${ownFile}-old`);
  return false;
}

/** Removes the lock of an ended process, and restores it if a running process has taken it in the meantime. */
async function removeStale(folder: OpenFolder, name: string, renamed: string): Promise<void> {
  try {
    await folder.rename(name, renamed);
  } catch (error) {
    if (errno(error) === 'ENOENT') return;
    throw error;
  }
  if (await isHeld(folder, renamed)) await folder.link(renamed, name).catch(() => undefined);
  await folder.unlink(renamed);
}

/** Whether the process named in a lock file is running. False for an invalid file, and for what is no file. */
async function isHeld(folder: OpenFolder, name: string): Promise<boolean> {
  try {
    const text = await folder.read(name, MAX_BYTES);
    const { pid, start, boot } = JSON.parse(String(text ?? '')) as Partial<ProcessIdentity>;
    return typeof pid === 'number' && (await isRunning({ pid, start: start ?? '', boot: boot ?? '' }));
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof WrongType) return false;
    throw error;
  }
}
