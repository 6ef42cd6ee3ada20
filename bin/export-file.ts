import { realpath } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, resolve, sep } from 'node:path';
import { BifractError } from '../src/core/contract/errors.ts';
import { writeNewFile } from './wiring.ts';

/**
 * Writes an export of the console to a new file with mode 0600, which exists only when complete; returns its path. `~/` is
 * the user's home. Throws `USAGE` for a file within the installation, where it could be taken for one of its own.
 */
export async function writeExport(
  installation: string,
  name: string,
  content: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<string> {
  const path = resolve(name.startsWith('~/') ? join(homedir(), name.slice(2)) : name);
  const folders = await Promise.all(
    [dirname(path), installation].map((one) => realpath(one).catch(() => one)),
  );
  const [folder = '', own = ''] = folders;
  if (folder === own || folder.startsWith(own + sep)) {
    throw new BifractError('USAGE', `${path} is in the directory of the installation`, {
      hint: 'Choose another folder, such as your home: ~/name.csv',
    });
  }
  await writeNewFile(path, content, signal);
  return path;
}
