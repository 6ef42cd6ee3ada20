import { randomBytes } from 'node:crypto';
import fs from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { diskError, errno } from '../disk/errors.ts';
import { identityOf, isRunning, type ProcessIdentity } from './process-identity.ts';

const POLL_MS = 100;
const FULL = new Set(['ENOSPC', 'EDQUOT']);
const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

/**
 * Runs `work` under a lock file that names its process. Waits while another process holds the lock, and takes over the
 * lock of one that has ended. The folder must exist.
 */
export async function withFileLock<T>(
  path: string,
  work: () => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const ownFile = join(dirname(path), `.lone-${randomBytes(6).toString('hex')}`);
  const self = (await identityOf(process.pid)) ?? { pid: process.pid, start: '', boot: '' };
  try {
    await fs.writeFile(ownFile, JSON.stringify(self), { mode: 0o600 });
  } catch (error) {
    await fs.rm(ownFile, { force: true });
    // The work may be the cleanup that frees space on a full disk.
    if (FULL.has(errno(error) ?? '')) return work();
    throw diskError(`Cannot write ${ownFile}`, error);
  }
  try {
    while (!(await acquire(ownFile, path))) {
      await wait(POLL_MS, undefined, { signal }).catch(() => signal?.throwIfAborted());
    }
    try {
      return await work();
    } finally {
      await fs.rm(path, { force: true });
    }
  } finally {
    await fs.rm(ownFile, { force: true });
  }
}

async function acquire(ownFile: string, path: string): Promise<boolean> {
  try {
    await fs.link(ownFile, path);
    return true;
  } catch (error) {
    // Without hard links there is no lock, but the work must be done.
    if (NO_LINKS.has(errno(error) ?? '')) return true;
    if (errno(error) !== 'EEXIST') throw error;
  }
  if (!(await isHeld(path))) await removeStale(path, `${ownFile}-old`);
  return false;
}

/** Removes the lock of an ended process, and restores it if a running process has taken it in the meantime. */
async function removeStale(path: string, renamed: string): Promise<void> {
  try {
    await fs.rename(path, renamed);
  } catch (error) {
    if (errno(error) === 'ENOENT') return;
    throw error;
  }
  if (await isHeld(renamed)) await fs.link(renamed, path).catch(() => undefined);
  await fs.rm(renamed, { force: true });
}

/** Whether the process named in a lock file is running. False for an invalid file. */
async function isHeld(path: string): Promise<boolean> {
  try {
    const { pid, start, boot } = JSON.parse(await fs.readFile(path, 'utf8')) as Partial<ProcessIdentity>;
    return typeof pid === 'number' && (await isRunning({ pid, start: start ?? '', boot: boot ?? '' }));
  } catch (error) {
    if (error instanceof SyntaxError || errno(error) === 'ENOENT') return false;
    throw error;
  }
}
