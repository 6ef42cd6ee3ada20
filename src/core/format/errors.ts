import { BifractError } from '../contract/errors.ts';

const OTHER_COPY = 'Use another copy of the file. Content before the damage is intact.';

/** The stored file differs from what was written at byte `at` or in the structure that starts there. */
export function damaged(at: number, what: string, cause?: unknown): BifractError {
  return new BifractError('DAMAGED', `The file is damaged at byte ${at}: ${what}`, {
    hint: OTHER_COPY,
    cause,
  });
}

/** The file or its content ends too early. */
export function cutOff(what: string): BifractError {
  return new BifractError('CUT_OFF', `The file is cut off: ${what}`, { hint: OTHER_COPY });
}

export function notBifract(what: string): BifractError {
  return new BifractError('NOT_BIFRACT', what, {
    hint: 'Backups end in .bifract-backup, archives in .bifract-archive.',
  });
}

export function wrongKey(what: string): BifractError {
  return new BifractError('WRONG_KEY', what, {
    hint: 'Add the key it was encrypted with to BIFRACT_BACKUP_ENCRYPTION_KEY_PREVIOUS. If that does not help, the start of the file is damaged: use another copy.',
  });
}

/** The file may be intact, but needs a feature that is not supported. */
export function unsupported(
  what: string,
  hint = 'The file may be intact. Try a newer version of bifract.',
): BifractError {
  return new BifractError('UNSUPPORTED', what, { hint });
}
