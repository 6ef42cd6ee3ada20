import { freeBuffer } from './buffers.ts';
import { connectionLost, ResponseTail, unexpectedResponse } from './errors.ts';
import type { OwnedBlock } from './join-in-order.ts';
import { repairLines } from './utf8-repair.ts';

/** Minimum size of a block, except the last. */
const BLOCK_BYTES = 512 << 10;
const NEWLINE = 0x0a;
/** End of a line whose other columns all have their defaults. Nothing else can end like this. */
const EMPTY_COLS = Buffer.from(',"cols":{}}\n');
const LINE_END = Buffer.from('}\n');

/** How every complete line starts and ends. */
export interface LineShape {
  prefix: Buffer;
  suffix: Buffer;
}

/**
 * Splits a ClickHouse response into blocks of complete lines.
 *
 * If a query fails after the response has started, ClickHouse writes the error into the response: as a bare message, a JSON
 * line, or an exception frame, depending on the version. Each of these, a partial line at the end, and a lost connection
 * throw `QUERY_FAILED`; lines not yet yielded are dropped.
 */
export async function* splitLines(
  chunks: AsyncIterable<Buffer>,
  shape: LineShape,
): AsyncGenerator<OwnedBlock> {
  const pending = new Pending();
  let tail: ResponseTail | undefined;
  try {
    for await (const chunk of chunks) {
      if (tail?.add(chunk)) break;
      const block = tail ? undefined : pending.add(chunk);
      if (!block) continue;
      const { lines, end } = measure(block, shape);
      if (end === block.length) {
        yield { bytes: repairLines(withoutEmptyCols(block)), lines, free: () => freeBuffer(block) };
      } else tail = new ResponseTail([block.subarray(end), pending.bytes()]);
    }
  } catch (error) {
    throw connectionLost(error, tail ?? new ResponseTail([afterLines(pending.bytes(), shape)]));
  }
  const last = pending.bytes();
  const { lines, end } = measure(last, shape);
  if (tail || end < last.length) throw unexpectedResponse(tail ?? new ResponseTail([last.subarray(end)]));
  if (lines > 0) yield { bytes: repairLines(withoutEmptyCols(last)), lines, free: () => freeBuffer(last) };
}

/**
 * ClickHouse always writes the member `cols`. Decoded lines only have it if it is not empty, and a row must have the same
 * line each time it is read: resuming recognizes rows by their lines.
 */
function withoutEmptyCols(lines: Buffer): Buffer {
  const pieces: Buffer[] = [];
  let from = 0;
  for (let at = lines.indexOf(EMPTY_COLS); at >= 0; at = lines.indexOf(EMPTY_COLS, from)) {
    pieces.push(lines.subarray(from, at), LINE_END);
    from = at + EMPTY_COLS.length;
  }
  return from === 0 ? lines : Buffer.concat([...pieces, lines.subarray(from)]);
}

class Pending {
  #parts: Buffer[] = [];
  #size = 0;

  /** Adds a chunk; returns the complete lines once there are enough for a block. */
  add(chunk: Buffer): Buffer | undefined {
    const end = chunk.lastIndexOf(NEWLINE) + 1;
    this.#size += chunk.length;
    if (end === 0 || this.#size < BLOCK_BYTES) {
      this.#parts.push(chunk);
      return undefined;
    }
    const block = Buffer.concat([...this.#parts, chunk.subarray(0, end)]);
    this.#parts = end < chunk.length ? [chunk.subarray(end)] : [];
    this.#size = chunk.length - end;
    return block;
  }

  bytes(): Buffer {
    return Buffer.concat(this.#parts);
  }
}

/** Number of lines at the start of the bytes, and where they end. */
function measure(bytes: Buffer, shape: LineShape): { lines: number; end: number } {
  let lines = 0;
  let end = 0;
  for (let newline = bytes.indexOf(NEWLINE); newline >= 0; newline = bytes.indexOf(NEWLINE, end)) {
    if (!isLine(bytes, end, newline, shape)) break;
    end = newline + 1;
    lines++;
  }
  return { lines, end };
}

function afterLines(bytes: Buffer, shape: LineShape): Buffer {
  return bytes.subarray(measure(bytes, shape).end);
}

function isLine(bytes: Buffer, from: number, to: number, { prefix, suffix }: LineShape): boolean {
  return (
    to - from >= prefix.length + suffix.length &&
    matchesAt(bytes, from, prefix) &&
    matchesAt(bytes, to - suffix.length, suffix)
  );
}

/** A loop, because for a few bytes a native call costs ten times as much. */
function matchesAt(bytes: Buffer, at: number, part: Buffer): boolean {
  for (let index = 0; index < part.length; index++) if (bytes[at + index] !== part[index]) return false;
  return true;
}
