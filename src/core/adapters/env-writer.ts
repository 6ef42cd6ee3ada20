import { randomBytes } from 'node:crypto';
import fs from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { BifractError } from '../errors.ts';
import { errno, onDisk } from './disk-errors.ts';
import { DiskFile, publish, syncFolder } from './disk-file.ts';

/** Makes the `.env` file, for its owner alone, durable; never over one that is there (`EXISTS`). */
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
 * Puts another text in the place of the one that was read, in one step, with mode and owner as they were. `BUSY` where
 * the file has changed since. A link is followed.
 */
export async function replaceEnv(path: string, before: string, text: string): Promise<void> {
  await onDisk(`Cannot write ${path}`, async () => {
    const real = await fs.realpath(path);
    const { mode, uid, gid } = await fs.stat(real);
    const owner = process.getuid?.() === 0 ? { uid, gid } : undefined;
    const file = await DiskFile.create(temporary(real), owner);
    try {
      await file.write(Buffer.from(text));
      await file.finish();
      await fs.chmod(file.path, mode & 0o777);
      if ((await fs.readFile(real, 'utf8')) !== before) throw changed(path);
      await fs.rename(file.path, real);
    } catch (error) {
      await file.remove();
      throw error;
    }
    await syncFolder(dirname(real));
  });
}

/** Makes a folder for its owner alone; false where it is there already. */
export async function makePrivateFolder(path: string): Promise<boolean> {
  return onDisk(`Cannot make ${path}`, async () => {
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

function changed(path: string): BifractError {
  return new BifractError('BUSY', `${path} has changed while it was being edited`, { hint: 'Try again.' });
}
