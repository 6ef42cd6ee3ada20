import { BifractError } from '../errors.ts';
import type { Ingest, IngestAnswer } from '../ports/ingest.ts';
import type { CallOptions } from '../ports/types.ts';

const PATH = '/api/v1/ingest';
const TIMEOUT_MS = 120_000;
const TOLD_BYTES = 300;
/** The request never left: nobody can have taken it. */
const NEVER_SENT = /^(ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|UND_ERR_CONNECT_TIMEOUT)$/;

/** Ingest of the server at a base address, as `http://localhost:8080`. */
export function openIngest(base: string): Ingest {
  const url = new URL(`${base.replace(/\/+$/, '')}${PATH}`);
  return { location: url.href, send: (token, lines, options) => send(url, token, lines, options) };
}

async function send(
  url: URL,
  token: string,
  lines: Buffer,
  { signal }: CallOptions = {},
): Promise<IngestAnswer> {
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'text/plain' },
      body: new Uint8Array(lines),
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
      redirect: 'manual',
    });
    const text = (await response.text()).slice(0, TOLD_BYTES);
    return answerOf(url, response, text);
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof BifractError) throw error;
    return lost(url, error);
  }
}

function answerOf(url: URL, { status, headers }: Response, text: string): IngestAnswer {
  const reason = `${url.host} answers ${status}${text ? `: ${text}` : ''}`;
  if (status === 200) {
    if (/"success"\s*:\s*false/.test(text)) throw never(reason);
    return { outcome: 'accepted' };
  }
  const wait_ms = waitOf(headers.get('retry-after'));
  if (status === 429) return { outcome: 'refused', busy: true, wait_ms, reason };
  if (status >= 500) return { outcome: 'refused', busy: false, wait_ms, reason };
  if (status === 401 || status === 403) {
    throw new BifractError('SERVER_UNREACHABLE', `Ingest does not accept the fractal's token: ${reason}`, {
      hint: 'Make another token in Bifract, or restore directly.',
    });
  }
  throw never(reason);
}

/** Seconds, or a date. */
function waitOf(header: string | null): number | null {
  if (header === null) return null;
  const ms = /^\d+$/.test(header.trim()) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : null;
}

function never(reason: string): BifractError {
  return new BifractError('RESTORE_FAILED', `Ingest does not take the lines: ${reason}`, {
    hint: 'Check BIFRACT_BASE_URL and BIFRACT_PORT, and the log of the server.',
  });
}

function lost(url: URL, error: unknown): IngestAnswer {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  const message = cause instanceof Error ? cause.message || code : String(cause);
  if (!NEVER_SENT.test(code)) return { outcome: 'unknown', reason: `${url.host}: ${message}` };
  throw new BifractError(
    'SERVER_UNREACHABLE',
    `The Bifract server does not answer at ${url.host}: ${message}`,
    {
      hint: 'Check that it is running, and BIFRACT_BASE_URL or BIFRACT_PORT.',
      cause: error,
      transient: true,
    },
  );
}
