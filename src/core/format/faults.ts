import { BifractError } from '../errors.ts';

const OTHER_COPY = 'Use another copy of the file; what was read before that place is sound';

/** Byte `at` of the stored file, or what begins there, is not what was written. */
export function damaged(at: number, what: string, cause?: unknown): BifractError {
  return new BifractError('DAMAGED', `The file is damaged at byte ${at}: ${what}`, {
    hint: OTHER_COPY,
    cause,
  });
}

/** The file, or what it holds, is not damaged as such but ends too early. */
export function cutOff(what: string): BifractError {
  return new BifractError('CUT_OFF', `The file is cut off: ${what}`, { hint: OTHER_COPY });
}

export function notBifract(what: string): BifractError {
  return new BifractError('NOT_BIFRACT', what, {
    hint: 'Bifract backups end in .bifract-backup, archives in .bifract-archive',
  });
}

export function wrongKey(what: string): BifractError {
  return new BifractError('WRONG_KEY', what, {
    hint: 'Give the key that was BIFRACT_BACKUP_ENCRYPTION_KEY when the file was written. If it was this one, the first bytes of the file are damaged: use another copy',
  });
}

/** The file may be sound, but asks for what this program does not do. */
export function unsupported(
  what: string,
  hint = 'The file itself may be sound; a newer bifract may read it',
): BifractError {
  return new BifractError('UNSUPPORTED', what, { hint });
}
