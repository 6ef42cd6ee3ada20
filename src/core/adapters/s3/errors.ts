import { BifractError, type ErrorCode } from '../../contract/errors.ts';
import { mask } from '../../text/mask.ts';
import { sanitize } from '../../text/sanitize.ts';
import { failureOf, REPLY_TOO_LONG, type RequestFailure, responseHeader } from './retry.ts';

/** What error messages need to know about the service. */
export interface S3Location {
  bucket: string;
  region: string;
  /** For display, without credentials. */
  address: string;
}

const MAX_LENGTH = 500;

interface ErrorText {
  code: ErrorCode;
  text: string;
  hint: string;
}

/** Converts the error of a failed request. The message begins with `what`, such as `Cannot list the bucket`. */
export function s3Error(what: string, error: unknown, location: S3Location): BifractError {
  if (error instanceof BifractError) return error;
  const { code, text, hint } = describeFailure(error, failureOf(error), location);
  return new BifractError(code, clean(`${what}: ${text}`), {
    hint,
    cause: withoutRequest(error),
  });
}

function describeFailure(error: unknown, failure: RequestFailure, location: S3Location): ErrorText {
  const known = KNOWN_CODES[failure.code];
  if (known) return { ...known, text: known.text.replace('BUCKET', location.bucket) };
  const region = wrongRegion(error, failure, location);
  if (region) return region;
  return failure.status === undefined
    ? connectionError(error, failure.code, location)
    : errorResponse(error, failure.status, failure.code, location);
}

function denied(text: string, hint: string): ErrorText {
  return { code: 'STORAGE_DENIED', text, hint };
}

const EXPIRED = denied(
  'the S3 credentials have expired',
  'Set new ones in BIFRACT_S3_ACCESS_KEY and BIFRACT_S3_SECRET_KEY.',
);
const FULL: ErrorText = {
  code: 'STORAGE_FULL',
  text: 'the S3 service is out of space',
  hint: 'Raise the quota, or delete backups or archives that are no longer needed.',
};

/** Codes with the same meaning in every response. */
const KNOWN_CODES: Record<string, ErrorText> = {
  InvalidAccessKeyId: denied('the access key is unknown to the S3 service', 'Check BIFRACT_S3_ACCESS_KEY.'),
  SignatureDoesNotMatch: denied(
    'the S3 service rejected the signature: the secret key is probably wrong',
    'Check BIFRACT_S3_SECRET_KEY. A reverse proxy that rewrites the Host header or paths has the same effect.',
  ),
  ExpiredToken: EXPIRED,
  ExpiredTokenException: EXPIRED,
  InvalidToken: EXPIRED,
  CredentialsProviderError: denied(
    'no S3 credentials found',
    'Set BIFRACT_S3_ACCESS_KEY and BIFRACT_S3_SECRET_KEY.',
  ),
  RequestTimeTooSkewed: denied(
    'the clock of this machine differs too much from that of the S3 service',
    'Correct the clock (timedatectl, chrony), then try again.',
  ),
  NoSuchBucket: {
    code: 'STORAGE_UNREACHABLE',
    text: 'the bucket BUCKET does not exist',
    hint: 'Create it, or check BIFRACT_S3_BUCKET and BIFRACT_S3_ENDPOINT.',
  },
  [REPLY_TOO_LONG]: {
    code: 'STORAGE_FAILED',
    text: 'the reply is too long for an S3 service',
    hint: 'Check BIFRACT_S3_ENDPOINT, and any proxy in front of the service.',
  },
  InvalidObjectState: {
    code: 'STORAGE_FAILED',
    text: 'the object is in an archive class of the S3 service and must be restored there first',
    hint: 'Restore the object with the tools of the S3 service, or exclude it from the lifecycle rule that moved it.',
  },
  QuotaExceeded: FULL,
  XMinioStorageFull: FULL,
  InsufficientStorage: FULL,
};

function wrongRegion(
  error: unknown,
  { status, code }: RequestFailure,
  location: S3Location,
): ErrorText | undefined {
  const named = responseHeader(error, 'x-amz-bucket-region');
  const expected = /expecting '([\w-]+)'/.exec(messageOf(error))?.[1] ?? named;
  const redirected = status === 301 || status === 307 || code === 'PermanentRedirect';
  const malformed = code === 'AuthorizationHeaderMalformed' || code === 'IllegalLocationConstraintException';
  if (!redirected && !malformed && !(status === 400 && expected && expected !== location.region))
    return undefined;
  return {
    code: 'STORAGE_UNREACHABLE',
    text: `the bucket ${location.bucket} is not in the region ${location.region}`,
    hint: expected
      ? `Set BIFRACT_S3_REGION=${expected}.`
      : 'Set BIFRACT_S3_REGION to the region of the bucket.',
  };
}

const SYSTEM: Record<string, string> = {
  ECONNREFUSED: 'connection refused',
  ENOTFOUND: 'host not found',
  EAI_AGAIN: 'DNS lookup failed',
  EHOSTUNREACH: 'no route to host',
  ENETUNREACH: 'network unreachable',
  ECONNRESET: 'connection reset',
  EPIPE: 'broken pipe',
  TimeoutError: 'connection timed out',
};

function connectionError(error: unknown, code: string, location: S3Location): ErrorText {
  const reason = SYSTEM[code] ?? messageOf(error);
  const base = {
    code: 'STORAGE_UNREACHABLE',
    text: `cannot connect to ${location.address}: ${reason}`,
  } as const;
  if (/CERT|SELF_SIGNED|UNABLE_TO_|ERR_TLS_/.test(code)) {
    const text = `the certificate of ${location.address} is not trusted (${code})`;
    return { ...base, text, hint: 'Set BIFRACT_S3_CA_FILE to a PEM file with the CA that signed it.' };
  }
  if (/EPROTO|ERR_SSL_/.test(code)) {
    const text = `TLS error on the connection to ${location.address}`;
    return { ...base, text, hint: 'Check whether BIFRACT_S3_ENDPOINT must begin with http or https.' };
  }
  return { ...base, hint: 'Check BIFRACT_S3_ENDPOINT, the network, HTTPS_PROXY and NO_PROXY.' };
}

function errorResponse(error: unknown, status: number, code: string, location: S3Location): ErrorText {
  if (status === 507) return FULL;
  // A response to HEAD has no error code.
  const shown = /^(Unknown|UnknownError|\d+)$/.test(code) ? String(status) : `${status} ${code}`;
  const text = `the S3 service responded with ${shown}`;
  if (status === 401 || status === 403) {
    return denied(
      `access denied by the S3 service (${shown})`,
      `Allow the access key to get, put, list and delete objects and multipart uploads in ${location.bucket}.`,
    );
  }
  if (status >= 500 || status === 429) {
    return {
      code: 'STORAGE_UNREACHABLE',
      text,
      hint: 'Try again later, and check the log of the service.',
    };
  }
  const hint = /part/i.test(code)
    ? 'If the service requires parts of equal size, set BIFRACT_S3_PART_MIB.'
    : 'See docs/guide/storage.md for the requirements of each service.';
  return { code: 'STORAGE_FAILED', text: `${text}: ${messageOf(error)}`, hint };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Keeps only name and message: the errors of the library include the request with its authorization. */
function withoutRequest(error: unknown): Error {
  const copy = new Error(clean(messageOf(error)));
  copy.name = error instanceof Error ? clean(error.name) : 'Error';
  return copy;
}

/** One printable line without secrets. */
export function clean(text: string): string {
  return sanitize(mask(text)).slice(0, MAX_LENGTH);
}
