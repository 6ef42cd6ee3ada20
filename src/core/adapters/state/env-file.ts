import { BifractError } from '../../contract/errors.ts';
import { replaceFile, writeNewFile } from '../files/replace-file.ts';

/** Creates the `.env` file durably with mode 0600. Never replaces an existing one (`EXISTS`). */
export async function createEnv(path: string, text: string): Promise<void> {
  await writeNewFile(path, single(Buffer.from(text)));
}

/**
 * Replaces the content of the file atomically and keeps its mode and owner. `BUSY` if it is no longer `before`. Follows a
 * symbolic link.
 */
export async function replaceEnv(path: string, before: Buffer, content: Buffer): Promise<void> {
  await replaceFile(path, (current) => {
    if (current?.equals(before)) return content;
    throw new BifractError('BUSY', `${path} was changed by another program`, { hint: 'Try again.' });
  });
}

async function* single(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}
