import { BifractError } from '../errors.ts';
import { isPassing } from './clickhouse-errors.ts';

/** As much of an answer that is not what was asked for as is looked at for ClickHouse's own words. */
const MESSAGE = 64 << 10;
const EXCEPTION = /Code: \d+\. DB::/g;

/** Why an answer that began well may not end: ClickHouse ended, or something between it and us did not wait. */
const CUT_SHORT =
  'Try again. If it happens again, look into the log of ClickHouse, which may have been restarted or short of memory, and at the time limits of any proxy before it.';

/** What came instead of data, and a little of what came after it. */
export class Tail {
  readonly #parts: Buffer[];
  #room = MESSAGE;

  constructor(parts: Buffer[]) {
    this.#parts = parts;
  }

  /** Takes a chunk more; true once a message must have come whole. */
  add(chunk: Buffer): boolean {
    this.#parts.push(chunk);
    this.#room -= chunk.length;
    return this.#room < 0;
  }

  /** The last message of an exception in it, without what frames it. */
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

  /** The end of it, where a message stands. */
  last(): Buffer {
    return Buffer.concat(this.#parts).subarray(-2 * MESSAGE);
  }
}

/** That the answer is not what was asked for, in ClickHouse's own words where there are any. */
export function notLines(tail: Tail): BifractError {
  const message = tail.message();
  return message === undefined
    ? new BifractError('QUERY_FAILED', 'The answer of ClickHouse is cut off, or is not what was asked for', {
        hint: CUT_SHORT,
        transient: true,
      })
    : ended(message);
}

/** A connection that breaks may have brought the reason before: ClickHouse's own words come first. */
export function brokenOff(error: unknown, tail: Tail): unknown {
  if (error instanceof BifractError) return error;
  const message = tail.message();
  if (message !== undefined) return ended(message, error);
  const reason = error instanceof Error ? error.message : String(error);
  return new BifractError('QUERY_FAILED', `The connection to ClickHouse broke: ${reason}`, {
    hint: CUT_SHORT,
    cause: error,
    transient: true,
  });
}

function ended(message: string, cause?: unknown): BifractError {
  const [, code = ''] = /^Code: (\d+)\./.exec(message) ?? [];
  return new BifractError('QUERY_FAILED', `ClickHouse ended the query: ${message}`, {
    hint: 'Try again; the log of ClickHouse may say more.',
    cause,
    transient: isPassing(code),
  });
}
