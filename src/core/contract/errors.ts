import { mask } from '../text/mask.ts';

/** Process exit codes, a contract with scripts; `docs/reference/errors.md` explains each. */
export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  config: 3,
  unreachable: 4,
  integrity: 5,
  conflict: 6,
  partial: 7,
  cancelled: 130,
  terminated: 143,
} as const;

/** Every error code with its exit code. Codes are stable: scripts match on them. */
export const ERROR_EXITS = {
  INTERNAL: EXIT.failed,
  RECORD_LOST: EXIT.failed,
  DUMP_FAILED: EXIT.failed,
  RESTORE_FAILED: EXIT.failed,
  QUERY_FAILED: EXIT.failed,
  NOT_FOUND: EXIT.failed,
  STORAGE_FAILED: EXIT.failed,
  STORAGE_FULL: EXIT.failed,
  READ_ONLY: EXIT.failed,
  LAST_BACKUP: EXIT.failed,
  TIMED_OUT: EXIT.failed,
  JOB_DIED: EXIT.failed,

  USAGE: EXIT.usage,
  NO_TERMINAL: EXIT.usage,

  ENV_MISSING: EXIT.config,
  ENV_INVALID: EXIT.config,
  KEY_MISSING: EXIT.config,
  KEY_MALFORMED: EXIT.config,
  UNSAFE_PATH: EXIT.config,

  POSTGRES_UNREACHABLE: EXIT.unreachable,
  CLICKHOUSE_UNREACHABLE: EXIT.unreachable,
  SERVER_UNREACHABLE: EXIT.unreachable,
  STORAGE_UNREACHABLE: EXIT.unreachable,
  STORAGE_DENIED: EXIT.unreachable,
  PROGRAM_MISSING: EXIT.unreachable,
  PROGRAM_TOO_OLD: EXIT.unreachable,

  NOT_BIFRACT: EXIT.integrity,
  WRONG_KEY: EXIT.integrity,
  DAMAGED: EXIT.integrity,
  CUT_OFF: EXIT.integrity,
  UNSUPPORTED: EXIT.integrity,
  COUNT_DIFFERS: EXIT.integrity,
  CHECKSUM_DIFFERS: EXIT.integrity,
  RECORD_DIFFERS: EXIT.integrity,

  BUSY: EXIT.conflict,
  EXISTS: EXIT.conflict,

  PARTLY_DONE: EXIT.partial,

  CANCELLED: EXIT.cancelled,
  TERMINATED: EXIT.terminated,
} as const;

/** A stable error code. */
export type ErrorCode = keyof typeof ERROR_EXITS;

/** Plain form of an error, for `--json` and the job journal. */
export interface ErrorReport {
  code: ErrorCode;
  message: string;
  hint?: string;
}

/**
 * The error class of this program.
 *
 * `message` says what failed and why, `hint` what to do, `code` is stable, `cause` is the original error.
 * Secrets in message and hint are masked; the cause may contain some, so it is never shown as it is.
 */
export class BifractError extends Error {
  override readonly name = 'BifractError';
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  /** Whether a retry may succeed: the request itself was valid. */
  readonly transient: boolean;

  constructor(
    code: ErrorCode,
    message: string,
    options: { hint?: string; cause?: unknown; transient?: boolean } = {},
  ) {
    super(mask(message), options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint === undefined ? undefined : mask(options.hint);
    this.transient = options.transient ?? false;
  }

  get exitCode(): number {
    return ERROR_EXITS[this.code];
  }

  /** Without cause and stack. */
  report(): ErrorReport {
    return {
      code: this.code,
      message: this.message,
      ...(this.hint === undefined ? {} : { hint: this.hint }),
    };
  }
}

/** Hint of a cancelled job that left nothing behind. The runner adds the hint of its kind to a reason without one. */
export const ROLLED_BACK = 'Partial work was rolled back; it is safe to start again.';

/** Reason for a job's `AbortSignal`: cancelled by the user, or the process is being terminated. */
export function cancelled(code: 'CANCELLED' | 'TERMINATED' = 'CANCELLED'): BifractError {
  return new BifractError(code, code === 'CANCELLED' ? 'Cancelled by the user' : 'Terminated by a signal');
}

/** The error for a change in read-only mode. */
export function readOnly(): BifractError {
  return new BifractError('READ_ONLY', 'Not allowed with --read-only', {
    hint: 'Run it without --read-only.',
  });
}

/** Any thrown value as a `BifractError`; other errors become `INTERNAL` and keep their message. */
export function asBifractError(error: unknown): BifractError {
  if (error instanceof BifractError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new BifractError('INTERNAL', message || 'Unknown error', { cause: error });
}
