import { BifractError } from '../../contract/errors.ts';
import { isTransientCode } from './errors.ts';

/** How much of an unexpected response is searched for an error message. */
const MESSAGE_BYTES = 64 << 10;
const EXCEPTION = /Code: \d+\. DB::/g;

const INCOMPLETE_HINT =
  'Try again. If it fails again, check the ClickHouse server log for a restart or low memory, and the timeouts of any proxy in front of it.';

/** What came instead of data, and some of what followed. */
export class ResponseTail {
  readonly #parts: Buffer[];
  #left = MESSAGE_BYTES;

  constructor(parts: Buffer[]) {
    this.#parts = parts;
  }

  /** Adds a chunk; true once any error message must be complete. */
  add(chunk: Buffer): boolean {
    this.#parts.push(chunk);
    this.#left -= chunk.length;
    return this.#left < 0;
  }

  /** The last exception message, without its frame. */
  message(): string | undefined {
    const text = this.last().toString('utf8');
    const start = [...text.matchAll(EXCEPTION)].at(-1)?.index;
    if (start === undefined) return undefined;
    const [bare = ''] = text.slice(start).split(/\r?\n(?:\d+ [0-9a-z]+\r?\n)?__exception__/);
    return bare
      .replace(/"?\}?\s*$/, '')
      .replace(/\s+/g, ' ')
      .trim()
      .slice(0, 2000);
  }

  /** The last bytes, where an error message would be. */
  last(): Buffer {
    return Buffer.concat(this.#parts).subarray(-2 * MESSAGE_BYTES);
  }
}

/** Error for an unexpected response; contains ClickHouse's error message if there is one. */
export function unexpectedResponse(tail: ResponseTail): BifractError {
  const message = tail.message();
  return message === undefined
    ? new BifractError('QUERY_FAILED', 'The response from ClickHouse is incomplete or malformed', {
        hint: INCOMPLETE_HINT,
        transient: true,
      })
    : queryFailed(message);
}

/** Error for a lost connection; ClickHouse may have sent the reason before. */
export function connectionLost(error: unknown, tail: ResponseTail): unknown {
  if (error instanceof BifractError) return error;
  const message = tail.message();
  if (message !== undefined) return queryFailed(message, error);
  const reason = error instanceof Error ? error.message : String(error);
  return new BifractError('QUERY_FAILED', `Lost connection to ClickHouse: ${reason}`, {
    hint: INCOMPLETE_HINT,
    cause: error,
    transient: true,
  });
}

function queryFailed(message: string, cause?: unknown): BifractError {
  const [, code = ''] = /^Code: (\d+)\./.exec(message) ?? [];
  return new BifractError('QUERY_FAILED', `ClickHouse aborted the query: ${message}`, {
    hint: 'Try again. See the ClickHouse server log for details.',
    cause,
    transient: isTransientCode(code),
  });
}
