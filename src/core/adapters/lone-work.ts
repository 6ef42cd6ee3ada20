import { randomBytes } from 'node:crypto';
import fs from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { diskError, errno } from './disk-errors.ts';
import { identityOf, isRunning, type ProcessIdentity } from './process-identity.ts';

const LOOK_MS = 100;
const FULL = new Set(['ENOSPC', 'EDQUOT']);
const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

/**
 * Does work that no other process does at the same time: a file says which one is at it. What a dead process left of
 * that is taken over; for a live one this waits. The folder must be there.
 */
export async function alone<T>(path: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  const mark = join(dirname(path), `.lone-${randomBytes(6).toString('hex')}`);
  const self = (await identityOf(process.pid)) ?? { pid: process.pid, start: '', boot: '' };
  try {
    await fs.writeFile(mark, JSON.stringify(self), { mode: 0o600 });
  } catch (error) {
    await fs.rm(mark, { force: true });
    // What is put right may be just what fills the disk.
    if (FULL.has(errno(error) ?? '')) return work();
    throw diskError(`Cannot write ${mark}`, error);
  }
  try {
    while (!(await take(mark, path))) await wait(LOOK_MS, undefined, { signal });
    try {
      return await work();
    } finally {
      await fs.rm(path, { force: true });
    }
  } finally {
    await fs.rm(mark, { force: true });
  }
}

async function take(mark: string, path: string): Promise<boolean> {
  try {
    await fs.link(mark, path);
    return true;
  } catch (error) {
    // A file system without links cannot keep two apart; the work itself must be done.
    if (NO_LINKS.has(errno(error) ?? '')) return true;
    if (errno(error) !== 'EEXIST') throw error;
  }
  if (!(await isHeld(path))) await clear(path, `${mark}-old`);
  return false;
}

/** Takes the mark of a dead process away, and puts back that of a live one which has come in its place meanwhile. */
async function clear(path: string, aside: string): Promise<void> {
  try {
    await fs.rename(path, aside);
  } catch (error) {
    if (errno(error) === 'ENOENT') return;
    throw error;
  }
  if (await isHeld(aside)) await fs.link(aside, path).catch(() => undefined);
  await fs.rm(aside, { force: true });
}

/** Whether the process that a mark names runs. What is no mark is nobody's. */
async function isHeld(path: string): Promise<boolean> {
  try {
    const { pid, start, boot } = JSON.parse(await fs.readFile(path, 'utf8')) as Partial<ProcessIdentity>;
    return typeof pid === 'number' && (await isRunning({ pid, start: start ?? '', boot: boot ?? '' }));
  } catch (error) {
    if (error instanceof SyntaxError || errno(error) === 'ENOENT') return false;
    throw error;
  }
}
