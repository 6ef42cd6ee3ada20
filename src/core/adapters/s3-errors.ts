import { BifractError, type ErrorCode } from '../errors.ts';
import { answerHeader, type Refusal, refusalOf } from './s3-patience.ts';

/** What an error sentence needs to know of the service. */
export interface S3Place {
  bucket: string;
  region: string;
  /** For people, without credentials. */
  address: string;
  /** What must not appear in any text. */
  secrets: readonly string[];
}

const LONGEST = 500;

interface Sentence {
  code: ErrorCode;
  text: string;
  hint: string;
}

/** A failed request as our error; `what` is what was being done, as `Cannot list the bucket`. */
export function s3Error(what: string, error: unknown, place: S3Place): BifractError {
  if (error instanceof BifractError) return error;
  const { code, text, hint } = sentence(error, refusalOf(error), place);
  return new BifractError(code, clean(`${what}: ${text}`, place), { hint, cause: plain(error, place) });
}

function sentence(error: unknown, refusal: Refusal, place: S3Place): Sentence {
  const known = REFUSALS[refusal.code];
  if (known) return { ...known, text: known.text.replace('BUCKET', place.bucket) };
  const region = wrongRegion(error, refusal, place);
  if (region) return region;
  return refusal.status === undefined
    ? unanswered(error, refusal.code, place)
    : answered(error, refusal.status, refusal.code, place);
}

function denied(text: string, hint: string): Sentence {
  return { code: 'STORAGE_DENIED', text, hint };
}

const EXPIRED = denied(
  'the S3 credentials have expired',
  'Put fresh ones into BIFRACT_S3_ACCESS_KEY and BIFRACT_S3_SECRET_KEY.',
);
const FULL: Sentence = {
  code: 'STORAGE_FULL',
  text: 'the S3 service has no room left for it',
  hint: 'Raise the quota, or delete backups or archives that are no longer needed.',
};

/** Codes that have one meaning wherever they appear. */
const REFUSALS: Record<string, Sentence> = {
  InvalidAccessKeyId: denied('the S3 service does not know the access key', 'Check BIFRACT_S3_ACCESS_KEY.'),
  SignatureDoesNotMatch: denied(
    'the S3 service does not accept the signature, so the secret key is wrong',
    'Check BIFRACT_S3_SECRET_KEY. A reverse proxy that rewrites Host or paths has the same effect.',
  ),
  ExpiredToken: EXPIRED,
  ExpiredTokenException: EXPIRED,
  InvalidToken: EXPIRED,
  CredentialsProviderError: denied(
    'there are no S3 credentials',
    'Set BIFRACT_S3_ACCESS_KEY and BIFRACT_S3_SECRET_KEY.',
  ),
  RequestTimeTooSkewed: denied(
    'the clock of this machine is too far from that of the S3 service',
    'Set the clock right (timedatectl, chrony), then try again.',
  ),
  NoSuchBucket: {
    code: 'STORAGE_UNREACHABLE',
    text: 'there is no bucket BUCKET',
    hint: 'Create it, or check BIFRACT_S3_BUCKET and BIFRACT_S3_ENDPOINT.',
  },
  QuotaExceeded: FULL,
  XMinioStorageFull: FULL,
  InsufficientStorage: FULL,
};

function wrongRegion(error: unknown, { status, code }: Refusal, place: S3Place): Sentence | undefined {
  const named = answerHeader(error, 'x-amz-bucket-region');
  const told = /expecting '([\w-]+)'/.exec(messageOf(error))?.[1] ?? named;
  const redirected = status === 301 || status === 307 || code === 'PermanentRedirect';
  const malformed = code === 'AuthorizationHeaderMalformed' || code === 'IllegalLocationConstraintException';
  if (!redirected && !malformed && !(status === 400 && told && told !== place.region)) return undefined;
  return {
    code: 'STORAGE_UNREACHABLE',
    text: `the bucket ${place.bucket} is not in the region ${place.region}`,
    hint: told ? `Set BIFRACT_S3_REGION=${told}.` : 'Set BIFRACT_S3_REGION to the region of the bucket.',
  };
}

const SYSTEM: Record<string, string> = {
  ECONNREFUSED: 'nothing listens there',
  ENOTFOUND: 'the name is not known',
  EAI_AGAIN: 'the name cannot be looked up now',
  EHOSTUNREACH: 'there is no way to the host',
  ENETUNREACH: 'there is no way to its network',
  ECONNRESET: 'the connection broke',
  EPIPE: 'the connection broke',
  TimeoutError: 'no byte came or went for too long',
};

function unanswered(error: unknown, code: string, place: S3Place): Sentence {
  const why = SYSTEM[code] ?? messageOf(error);
  const base = { code: 'STORAGE_UNREACHABLE', text: `${place.address} cannot be reached: ${why}` } as const;
  if (/CERT|SELF_SIGNED|UNABLE_TO_|ERR_TLS_/.test(code)) {
    const text = `the certificate of ${place.address} is not trusted (${code})`;
    return { ...base, text, hint: 'Name the authority that signed it in BIFRACT_S3_CA_FILE (a PEM file).' };
  }
  if (/EPROTO|ERR_SSL_/.test(code)) {
    const text = `${place.address} does not speak TLS as it should`;
    return { ...base, text, hint: 'Check whether BIFRACT_S3_ENDPOINT begins with http or https.' };
  }
  return { ...base, hint: 'Check BIFRACT_S3_ENDPOINT, the network, and HTTPS_PROXY or NO_PROXY.' };
}

function answered(error: unknown, status: number, code: string, place: S3Place): Sentence {
  if (status === 507) return FULL;
  // An answer to HEAD names no code.
  const told = /^(Unknown|UnknownError|\d+)$/.test(code) ? String(status) : `${status} ${code}`;
  const said = `the S3 service answers ${told}`;
  if (status === 401 || status === 403) {
    return denied(
      `the S3 service denies it (${told})`,
      `The access key needs to get, put, list and delete objects and multipart uploads in ${place.bucket}.`,
    );
  }
  if (status >= 500 || status === 429) {
    return { code: 'STORAGE_UNREACHABLE', text: said, hint: 'Try again later; the service has the reason.' };
  }
  const hint = /part/i.test(code)
    ? 'A service that demands parts of one size needs BIFRACT_S3_PART_MIB.'
    : 'docs/storage.md lists what each service needs.';
  return { code: 'STORAGE_FAILED', text: `${said}: ${messageOf(error)}`, hint };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The library's errors carry the request with its authorization: only name and message go on. */
function plain(error: unknown, place: S3Place): Error {
  const copy = new Error(clean(messageOf(error), place));
  copy.name = error instanceof Error ? clean(error.name, place) : 'Error';
  return copy;
}

/** One printable line without secrets. */
export function clean(text: string, { secrets }: S3Place): string {
  let line = text.replace(/[\u0000-\u001f\u007f]+/g, ' ');
  for (const secret of secrets) if (secret) line = line.replaceAll(secret, '***');
  return line.slice(0, LONGEST);
}
