import { randomBytes } from 'node:crypto';
import fs from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { BifractError } from '../../contract/errors.ts';
import { errno, onDisk } from '../disk/errors.ts';
import { DiskFile, publish, syncFolder } from '../disk/file.ts';

/** Creates the `.env` file durably with mode 0600. Never replaces an existing one (`EXISTS`). */
export async function createEnv(path: string, text: string): Promise<void> {
  const file = await DiskFile.create(temporary(path), undefined);
  try {
    await file.write(Buffer.from(text));
    await file.finish();
    await publish(file.path, path);
  } catch (error) {
    await file.remove();
    throw error;
  }
}

/**
 * Replaces the content of the file atomically and keeps its mode and owner. `BUSY` if it is no longer `before`. Follows a
 * symbolic link. What was written is read back before it replaces the file.
 */
export async function replaceEnv(path: string, before: Buffer, content: Buffer): Promise<void> {
  await onDisk(`Cannot write ${path}`, async () => {
    const real = await fs.realpath(path);
    const { mode, uid, gid } = await fs.stat(real);
    const owner = process.getuid?.() === 0 ? { uid, gid } : undefined;
    const file = await DiskFile.create(temporary(real), owner);
    try {
      await file.write(content);
      await file.finish();
      await fs.chmod(file.path, mode & 0o777);
      if (!content.equals(await fs.readFile(file.path))) throw writtenBadly(path);
      if (!before.equals(await fs.readFile(real))) throw changedMeanwhile(path);
      await fs.rename(file.path, real);
    } catch (error) {
      await file.remove();
      throw error;
    }
    await syncFolder(dirname(real));
  });
}

/** Creates a folder with mode 0700; false if it exists. */
export async function makePrivateFolder(path: string): Promise<boolean> {
  return onDisk(`Cannot create ${path}`, async () => {
    try {
      await fs.mkdir(path, 0o700);
      await syncFolder(dirname(path));
      return true;
    } catch (error) {
      if (errno(error) === 'EEXIST' && (await fs.stat(path)).isDirectory()) return false;
      throw error;
    }
  });
}

function temporary(path: string): string {
  return join(dirname(path), `.env.${randomBytes(6).toString('hex')}`);
}

function changedMeanwhile(path: string): BifractError {
  return new BifractError('BUSY', `${path} was changed by another program`, { hint: 'Try again.' });
}

function writtenBadly(path: string): BifractError {
  return new BifractError('STORAGE_FAILED', `The new ${path} reads back differently from what was written`, {
    hint: 'Nothing was changed. Check the disk.',
  });
}
