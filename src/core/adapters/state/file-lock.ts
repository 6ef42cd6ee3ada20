import type { Stats } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { BifractError } from '../../contract/errors.ts';
import type { LockOptions } from '../../ports/state.ts';
import { errno, WrongType } from '../files/errors.ts';
import type { OpenFolder } from '../files/open-folder.ts';
import { onState, stateError } from './open-state.ts';
import { isRunning, ownIdentity, type ProcessIdentity } from './process-identity.ts';
import { temporaryName } from './temporary-files.ts';

const POLL_MS = 100;
/** Within this time after its creation a lock file may still be empty. */
const FRESH_MS = 2000;
const MAX_BYTES = 4 << 10;
const FULL = new Set(['ENOSPC', 'EDQUOT']);
const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

interface FileLockOptions extends LockOptions {
  /** The job that takes it, for others that wait. Without one, the work is done even if no lock can be written. */
  job?: string;
}

/**
 * Runs `work` under a lock file that names its process. Waits while another process holds the lock, and takes over the
 * lock of one that has ended.
 */
export async function withFileLock<T>(
  folder: OpenFolder,
  name: string,
  work: () => Promise<T>,
  { job, ...options }: FileLockOptions = {},
): Promise<T> {
  options.signal?.throwIfAborted();
  const self = await ownIdentity();
  const ownFile = temporaryName('lock', self);
  try {
    await using file = await folder.create(ownFile);
    await file.writeFile(JSON.stringify({ ...self, job }));
  } catch (error) {
    await folder.unlink(ownFile).catch(() => undefined);
    // The work may be the cleanup that frees space on a full disk.
    if (job === undefined && FULL.has(errno(error) ?? '')) return work();
    throw stateError(`Cannot write ${folder.pathOf(ownFile)}`, error);
  }
  try {
    await onState(`Cannot lock ${folder.path}`, () => waitFor(folder, ownFile, name, options));
    try {
      return await work();
    } finally {
      await onState(`Cannot remove ${folder.pathOf(name)}`, () => folder.unlink(name));
    }
  } finally {
    // What is left of it, a later cleanup removes.
    await folder.unlink(ownFile).catch(() => undefined);
  }
}

async function waitFor(
  folder: OpenFolder,
  ownFile: string,
  name: string,
  { signal, limit_ms = Number.POSITIVE_INFINITY, onWait }: LockOptions,
): Promise<void> {
  const started = performance.now();
  for (let attempt = 1; !(await acquire(folder, ownFile, name)); attempt++) {
    // The first one may only have removed the lock of an ended process.
    if (attempt === 2) onWait?.(await holderOf(folder, name));
    if (performance.now() - started >= limit_ms) throw stillHeld(await holderOf(folder, name));
    await wait(POLL_MS, undefined, { signal }).catch(() => signal?.throwIfAborted());
  }
}

/** The job that holds a lock, if its file tells. */
async function holderOf(folder: OpenFolder, name: string): Promise<string | undefined> {
  try {
    const { job } = JSON.parse(String((await folder.read(name, MAX_BYTES)) ?? '{}')) as { job?: unknown };
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

async function acquire(folder: OpenFolder, ownFile: string, name: string): Promise<boolean> {
  try {
    await folder.link(ownFile, name);
    return true;
  } catch (error) {
    if (NO_LINKS.has(errno(error) ?? '')) return create(folder, ownFile, name);
    if (errno(error) !== 'EEXIST') throw error;
  }
  if (!(await isHeld(folder, name))) await removeStale(folder, name, `.old${ownFile}`);
  return false;
}

/** Removes a lock whose process has ended. */
export async function removeStaleLock(folder: OpenFolder, name: string): Promise<void> {
  const stats = await folder.lstat(name);
  if (!stats || (stats.size === 0 && isFresh(stats)) || (await isHeld(folder, name))) return;
  await removeStale(folder, name, `.old${temporaryName('lock', await ownIdentity())}`);
}

/** Whether its owner may still be writing it. */
function isFresh({ mtimeMs }: Stats): boolean {
  return Date.now() - mtimeMs < FRESH_MS;
}

/** On a file system without hard links. Its content is not written atomically, so the file may be empty for a moment. */
async function create(folder: OpenFolder, ownFile: string, name: string): Promise<boolean> {
  try {
    await using file = await folder.create(name);
    await file.writeFile((await folder.read(ownFile, MAX_BYTES)) ?? '');
    return true;
  } catch (error) {
    if (errno(error) !== 'EEXIST') throw error;
  }
  const stats = await folder.lstat(name);
  const fresh = stats !== undefined && isFresh(stats);
  if (!fresh && !(await isHeld(folder, name))) await folder.unlink(name);
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
  // A folder is no lock. It stays under the new name if it is not empty: what is in it is not ours.
  if ((await folder.lstat(renamed))?.isDirectory()) await folder.rmdir(renamed).catch(() => undefined);
  else await folder.unlink(renamed);
}

/** Whether the process named in a lock file is running. False for an invalid file, and for what is no file. */
export async function isHeld(folder: OpenFolder, name: string): Promise<boolean> {
  try {
    const text = await folder.read(name, MAX_BYTES);
    const { pid, start, boot } = JSON.parse(String(text ?? '')) as Partial<ProcessIdentity>;
    return typeof pid === 'number' && (await isRunning({ pid, start: start ?? '', boot: boot ?? '' }));
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof WrongType) return false;
    throw error;
  }
}
