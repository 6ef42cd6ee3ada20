import { asBifractError, BifractError, EXIT } from '../../contract/errors.ts';

/** Errors that one file can have although its storage works: a class that must be thawed, a right, a bad block. */
const OF_ONE_FILE = new Set<string>(['STORAGE_DENIED', 'STORAGE_FAILED', 'NOT_FOUND']);

/** Whether it shows that a file is damaged, or encrypted with an unknown key. */
export function isIntegrityError(error: BifractError): boolean {
  return error.exitCode === EXIT.integrity;
}

/**
 * Why one file of several cannot be read, for a plan that keeps it. Rethrows what concerns all files, and after an
 * abort the reason.
 */
export function unreadable(thrown: unknown, signal?: AbortSignal): BifractError {
  signal?.throwIfAborted();
  const error = asBifractError(thrown);
  if (isIntegrityError(error)) return error;
  if (!OF_ONE_FILE.has(error.code)) throw thrown;
  return new BifractError(error.code, `unreadable (${error.message})`, { hint: error.hint, cause: error });
}
