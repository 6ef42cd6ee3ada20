import { BifractError } from '../../src/core/contract/errors.ts';

/**
 * Writes to stdout at the pace of its reader; false once the reader has closed the pipe, as `head` does. Throws
 * `STORAGE_FULL` or `STORAGE_FAILED` if a file cannot take it. Not `fs.write`: the pipe does not block, and a full one would
 * be an error.
 */
export async function writeStdout(bytes: Buffer): Promise<boolean> {
  try {
    await new Promise<void>((resolve, reject) => {
      process.stdout.write(bytes, (error) => (error ? reject(error) : resolve()));
    });
    return true;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EPIPE') return false;
    if (code !== 'ENOSPC' && code !== 'EFBIG') throw error;
    throw new BifractError(
      code === 'EFBIG' ? 'STORAGE_FAILED' : 'STORAGE_FULL',
      `Cannot write to stdout: ${message}`,
      {
        hint:
          code === 'EFBIG' ? 'Raise the limit on the size of files (ulimit -f).' : 'Free some disk space.',
        cause: error,
      },
    );
  }
}
