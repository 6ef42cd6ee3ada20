import { BifractError } from '../../contract/errors.ts';
import type { Ingest, IngestResult } from '../../ports/ingest.ts';
import type { CallOptions } from '../../ports/types.ts';

const PATH = '/api/v1/ingest';
const TIMEOUT_MS = 120_000;
const REASON_CHARS = 300;
/** The request was never sent, so no line can have been accepted. */
const NOT_SENT = /^(ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|UND_ERR_CONNECT_TIMEOUT)$/;

/** Ingest endpoint of the server at a base URL such as `http://localhost:8080`. `ENV_INVALID` for another kind of URL. */
export function openIngest(base: string): Ingest {
  const url = URL.parse(`${base.trim().replace(/\/+$/, '')}${PATH}`);
  if (
    !url ||
    !/^https?:$/.test(url.protocol) ||
    /[?#]/.test(base) ||
    url.username !== '' ||
    url.password !== ''
  ) {
    throw new BifractError(
      'ENV_INVALID',
      'BIFRACT_BASE_URL is not an http or https URL without user, password and query',
      {
        hint: 'Set BIFRACT_BASE_URL to the address of the Bifract server, such as https://logs.example.com.',
      },
    );
  }
  return { location: url.href, send: (token, lines, options) => send(url, token, lines, options) };
}

async function send(
  url: URL,
  token: string,
  lines: Buffer,
  { signal }: CallOptions = {},
): Promise<IngestResult> {
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'text/plain' },
      body: new Uint8Array(lines),
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
      redirect: 'manual',
    });
    const text = (await response.text()).slice(0, REASON_CHARS);
    return resultOf(url, response, text);
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof BifractError) throw error;
    return sendFailed(url, error);
  }
}

function resultOf(url: URL, { status, headers }: Response, text: string): IngestResult {
  const reason = `${url.host} returned ${status}${text ? `: ${text}` : ''}`;
  if (status === 200) {
    if (/"success"\s*:\s*false/.test(text)) throw rejected(reason);
    return { outcome: 'accepted' };
  }
  const wait_ms = retryAfterMs(headers.get('retry-after'));
  if (status === 429) return { outcome: 'refused', busy: true, wait_ms, reason };
  if (status >= 500) return { outcome: 'refused', busy: false, wait_ms, reason };
  if (status === 401 || status === 403) {
    throw new BifractError('SERVER_UNREACHABLE', `Ingest rejected the fractal's token: ${reason}`, {
      hint: 'Create a new token in Bifract, or restore directly (--via direct).',
    });
  }
  throw rejected(reason);
}

/** Parses Retry-After, seconds or a date. */
function retryAfterMs(header: string | null): number | null {
  if (header === null) return null;
  const ms = /^\d+$/.test(header.trim()) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : null;
}

function rejected(reason: string): BifractError {
  return new BifractError('RESTORE_FAILED', `Ingest rejected the log lines: ${reason}`, {
    hint: 'Check BIFRACT_BASE_URL and BIFRACT_PORT, and the log of the Bifract server.',
  });
}

function sendFailed(url: URL, error: unknown): IngestResult {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  const message = cause instanceof Error ? cause.message || code : String(cause);
  if (!NOT_SENT.test(code)) return { outcome: 'unknown', reason: `${url.host}: ${message}` };
  throw new BifractError('SERVER_UNREACHABLE', `Cannot reach the Bifract server at ${url.host}: ${message}`, {
    hint: 'Check that it is running, and BIFRACT_BASE_URL or BIFRACT_PORT.',
    cause: error,
    transient: true,
  });
}
