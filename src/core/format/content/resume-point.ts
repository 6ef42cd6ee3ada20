import { hash } from 'node:crypto';
import { BifractError } from '../../contract/errors.ts';
import type { LineBlock, RowKey } from '../../ports/log-database.ts';
import { decodeBytes, decodeString, JsonSyntaxError, readMembers } from './json-scan.ts';

const NEWLINE = 0x0a;

/**
 * The point from which another query can resume: the key of the last row, and the rows seen with that key. Rows with
 * equal keys come in any order, so they are identified by their content.
 */
export class ResumePoint {
  #key: RowKey | undefined;
  /** Hash of each line with the key, and how often it was seen. */
  #seen = new Map<string, number>();

  /** Key of the last row; undefined before the first. */
  key(): RowKey | undefined {
    return this.#key;
  }

  /** Takes complete lines that follow the previous ones. */
  add(lines: Buffer): void {
    if (lines.length === 0) return;
    let { start, end } = lineBefore(lines, lines.length);
    const key = rowKeyOf(lines.subarray(start, end));
    if (this.#key && isBefore(key, this.#key))
      throw new BifractError('QUERY_FAILED', 'The log database returned rows out of order');
    if (!isSame(key, this.#key)) this.#seen.clear();
    this.#key = key;
    for (;;) {
      count(this.#seen, lines.subarray(start, end), 1);
      if (start === 0) return;
      ({ start, end } = lineBefore(lines, start));
      if (!isSame(key, rowKeyOf(lines.subarray(start, end)))) return;
    }
  }

  /** Of lines from the key on, those not seen before. */
  async *unseen(blocks: AsyncIterable<LineBlock>): AsyncGenerator<LineBlock> {
    const left = new Map(this.#seen);
    const key = this.#key;
    let past = false;
    for await (const block of blocks) {
      if (past) yield block;
      else {
        const kept = dropSeen(block.bytes, key, left);
        past = kept.past;
        if (kept.lines.length > 0)
          yield { bytes: Buffer.concat(kept.lines), lines: block.lines - kept.dropped };
      }
    }
  }
}

interface Unseen {
  lines: Buffer[];
  dropped: number;
  /** Whether a row with another key was found: all rows after it are new. */
  past: boolean;
}

function dropSeen(bytes: Buffer, key: RowKey | undefined, left: Map<string, number>): Unseen {
  const lines: Buffer[] = [];
  let dropped = 0;
  for (let start = 0; start < bytes.length; ) {
    const end = bytes.indexOf(NEWLINE, start);
    const line = bytes.subarray(start, end);
    if (!isSame(rowKeyOf(line), key))
      return { lines: [...lines, bytes.subarray(start)], dropped, past: true };
    if (count(left, line, -1)) dropped++;
    else lines.push(bytes.subarray(start, end + 1));
    start = end + 1;
  }
  return { lines, dropped, past: false };
}

/** Adds to the count of a line, or subtracts unless it is 0. Returns whether it was above 0. */
function count(seen: Map<string, number>, line: Buffer, by: 1 | -1): boolean {
  const digest = hash('sha256', line, 'base64');
  const before = seen.get(digest) ?? 0;
  if (by > 0 || before > 0) seen.set(digest, before + by);
  return before > 0;
}

/** The line that ends before `at`, without its newline. */
function lineBefore(lines: Buffer, at: number): { start: number; end: number } {
  const end = at - 1;
  return { start: end === 0 ? 0 : lines.lastIndexOf(NEWLINE, end - 1) + 1, end };
}

function isSame(one: RowKey, other: RowKey | undefined): boolean {
  return one.ms === other?.ms && one.id === other.id;
}

function isBefore(one: RowKey, other: RowKey): boolean {
  return one.ms === other.ms ? one.id < other.id : Number(one.ms) < Number(other.ms);
}

/** The key of a line's row. Throws `INTERNAL` if the line is not a row. */
export function rowKeyOf(line: Buffer): RowKey {
  try {
    const members = readMembers(line);
    const [ts, id] = ['ts', 'id'].map((key) => members.find((member) => member.key === key));
    const ms = ts && Date.parse(decodeString(line, ts));
    if (ms !== undefined && !Number.isNaN(ms) && id)
      return { ms: String(ms), id: decodeBytes(line, id).toString('hex') };
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
  }
  throw new BifractError('INTERNAL', 'The log database returned a line that is not a row');
}
