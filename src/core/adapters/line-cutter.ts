import type { LineBlock } from '../ports/log-database.ts';
import { brokenOff, notLines, Tail } from './answer-tail.ts';
import { repairLines } from './line-repair.ts';
import { release } from './release.ts';

/** Size from which a block is handed on. */
const BLOCK = 512 << 10;
const NEWLINE = 0x0a;

/** How every whole line begins and ends: whatever differs is no line. */
export interface LineShape {
  prefix: Buffer;
  suffix: Buffer;
}

/**
 * Cuts an answer of ClickHouse into blocks of whole lines.
 *
 * ClickHouse reports a failure after the answer began by text in the answer itself: a bare message, a line of
 * JSON, or a frame of its own, depending on its version. Each of them, a half line at the end, and a
 * connection that breaks throw `QUERY_FAILED`; lines before it that were not handed on yet are dropped.
 */
export async function* cutLines(chunks: AsyncIterable<Buffer>, shape: LineShape): AsyncGenerator<LineBlock> {
  const pending = new Pending();
  let wrong: Tail | undefined;
  try {
    for await (const chunk of chunks) {
      if (wrong?.add(chunk)) break;
      const whole = wrong ? undefined : pending.add(chunk);
      if (!whole) continue;
      const { lines, end } = measure(whole, shape);
      if (end === whole.length) {
        yield { bytes: repairLines(whole), lines };
        release(whole);
      } else wrong = new Tail([whole.subarray(end), pending.bytes()]);
    }
  } catch (error) {
    throw brokenOff(error, wrong ?? new Tail([afterLines(pending.bytes(), shape)]));
  }
  const last = pending.bytes();
  const { lines, end } = measure(last, shape);
  if (wrong || end < last.length) throw notLines(wrong ?? new Tail([last.subarray(end)]));
  if (lines > 0) yield { bytes: repairLines(last), lines };
}

class Pending {
  #parts: Buffer[] = [];
  #size = 0;

  /** Takes a chunk; gives all whole lines once they are enough for a block. */
  add(chunk: Buffer): Buffer | undefined {
    const end = chunk.lastIndexOf(NEWLINE) + 1;
    this.#size += chunk.length;
    if (end === 0 || this.#size < BLOCK) {
      this.#parts.push(chunk);
      return undefined;
    }
    const whole = Buffer.concat([...this.#parts, chunk.subarray(0, end)]);
    this.#parts = end < chunk.length ? [chunk.subarray(end)] : [];
    this.#size = chunk.length - end;
    return whole;
  }

  bytes(): Buffer {
    return Buffer.concat(this.#parts);
  }
}

/** How many lines the bytes begin with, and where these end. */
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
    holds(bytes, from, prefix) &&
    holds(bytes, to - suffix.length, suffix)
  );
}

/** A plain loop: for a few bytes, calling out of JavaScript costs ten times more. */
function holds(bytes: Buffer, at: number, part: Buffer): boolean {
  for (let index = 0; index < part.length; index++) if (bytes[at + index] !== part[index]) return false;
  return true;
}
