import { BifractError, type ErrorCode } from '../../contract/errors.ts';

const CODES: Record<string, ErrorCode> = {
  ENOENT: 'NOT_FOUND',
  EEXIST: 'EXISTS',
  ENOSPC: 'STORAGE_FULL',
  EDQUOT: 'STORAGE_FULL',
  EACCES: 'STORAGE_DENIED',
  EPERM: 'STORAGE_DENIED',
  EROFS: 'STORAGE_DENIED',
  ESTALE: 'STORAGE_UNREACHABLE',
  ENOTCONN: 'STORAGE_UNREACHABLE',
  EHOSTDOWN: 'STORAGE_UNREACHABLE',
  EHOSTUNREACH: 'STORAGE_UNREACHABLE',
  ETIMEDOUT: 'STORAGE_UNREACHABLE',
};
const HINTS: Record<string, string> = {
  ENOSPC: 'Free some space, or delete backups or archives that are no longer needed.',
  EDQUOT: 'The disk quota of this user is used up.',
  EACCES: 'Check the owner of the folder, or run this as root.',
  EPERM: 'Check the owner of the folder, or run this as root.',
  EROFS: 'The file system is mounted read-only.',
  EFBIG: 'The file system, or a limit of this process, does not allow larger files.',
  EMFILE: 'Raise the limit on open files (ulimit -n).',
};

/** Something else is in the place of a file or folder: a link, a device. Nothing was opened or changed. */
export class WrongType extends Error {
  readonly path: string;
  readonly found: string;

  constructor(path: string, found: string) {
    super(`${path} is a ${found}`);
    this.path = path;
    this.found = found;
  }
}

/** Runs work on the file system. A system error becomes a `BifractError` whose message begins with `what`. */
export async function onDisk<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw diskError(what, error);
  }
}

/** The same conversion for an error already caught. */
export function diskError(what: string, error: unknown): unknown {
  if (error instanceof WrongType) {
    return new BifractError('STORAGE_FAILED', `${what}: ${error.message}`, {
      hint: 'Replace it with a regular file or folder: links are not followed here.',
      cause: error,
    });
  }
  const code = errno(error);
  if (error instanceof BifractError || code === undefined) return error;
  const cause = error instanceof Error ? withoutSystemCall(error.message) : code;
  return new BifractError(CODES[code] ?? 'STORAGE_FAILED', `${what}: ${cause}`, {
    hint: HINTS[code],
    cause: error,
  });
}

/** Removes the name of the system call at the end: the message already says what was attempted. */
function withoutSystemCall(message: string): string {
  return message.replace(/, [a-z0-9_]+$/, '');
}

/** The system's code of an error, such as `ENOENT`. */
export function errno(error: unknown): string | undefined {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^E[A-Z0-9]+$/.test(code) ? code : undefined;
}
