import { randomBytes } from 'node:crypto';
import fs from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { BifractError } from '../../contract/errors.ts';
import type { LockOptions } from '../../ports/state.ts';
import { diskError, errno } from '../disk/errors.ts';
import { identityOf, isRunning, type ProcessIdentity } from './process-identity.ts';

const POLL_MS = 100;
/** Within this time after its creation a lock file may still be empty. */
const FRESH_MS = 2000;
const FULL = new Set(['ENOSPC', 'EDQUOT']);
const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

interface FileLockOptions extends LockOptions {
  /** The job that takes it, for others that wait. Without one, the work is done even if no lock can be written. */
  job?: string;
}

/**
 * Runs `work` under a lock file that names its process. Waits while another process holds the lock, and takes over the
 * lock of one that has ended. The folder must exist.
 */
export async function withFileLock<T>(
  path: string,
  work: () => Promise<T>,
  { job, ...options }: FileLockOptions = {},
): Promise<T> {
  options.signal?.throwIfAborted();
  const ownFile = join(dirname(path), `.lone-${randomBytes(6).toString('hex')}`);
  const self = (await identityOf(process.pid)) ?? { pid: process.pid, start: '', boot: '' };
  try {
    await fs.writeFile(ownFile, JSON.stringify({ ...self, job }), { mode: 0o600 });
  } catch (error) {
    await fs.rm(ownFile, { force: true });
    // The work may be the cleanup that frees space on a full disk.
    if (job === undefined && FULL.has(errno(error) ?? '')) return work();
    throw diskError(`Cannot write ${ownFile}`, error);
  }
  try {
    await waitFor(ownFile, path, options);
    try {
      return await work();
    } finally {
      await fs.rm(path, { force: true });
    }
  } finally {
    await fs.rm(ownFile, { force: true });
  }
}

async function waitFor(
  ownFile: string,
  path: string,
  { signal, limit_ms = Number.POSITIVE_INFINITY, onWait }: LockOptions,
): Promise<void> {
  const started = performance.now();
  for (let waited = false; !(await acquire(ownFile, path)); waited = true) {
    if (!waited) onWait?.(await holderOf(path));
    if (performance.now() - started >= limit_ms) throw stillHeld(await holderOf(path));
    await wait(POLL_MS, undefined, { signal }).catch(() => signal?.throwIfAborted());
  }
}

/** The job that holds a lock, if its file tells. */
async function holderOf(path: string): Promise<string | undefined> {
  const text = await fs.readFile(path, 'utf8').catch(() => '{}');
  try {
    const { job } = JSON.parse(text) as { job?: unknown };
    return typeof job === 'string' && /^[\w-]{1,100}$/.test(job) ? job : undefined;
  } catch {
    return undefined;
  }
}

function stillHeld(job = 'another job'): BifractError {
  return new BifractError('BUSY', `Waited too long for ${job}, which is still changing files or records`, {
    hint: 'Try again when it has ended; `bifract jobs` shows what is running.',
  });
}

async function acquire(ownFile: string, path: string): Promise<boolean> {
  try {
    await fs.link(ownFile, path);
    return true;
  } catch (error) {
    if (NO_LINKS.has(errno(error) ?? '')) return create(ownFile, path);
    if (errno(error) !== 'EEXIST') throw error;
  }
  if (!(await isHeld(path))) await removeStale(path, `${ownFile}-old`);
  return false;
}

/** On a file system without hard links. Its content is not written atomically, so the file may be empty for a moment. */
async function create(ownFile: string, path: string): Promise<boolean> {
  try {
    await fs.copyFile(ownFile, path, fs.constants.COPYFILE_EXCL);
    return true;
  } catch (error) {
    if (errno(error) !== 'EEXIST') throw error;
  }
  const fresh = await fs.stat(path).then(
    ({ mtimeMs }) => Date.now() - mtimeMs < FRESH_MS,
    () => false,
  );
  if (!fresh && !(await isHeld(path))) await fs.rm(path, { force: true });
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
