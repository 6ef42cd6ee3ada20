import { PADDING } from './native/line-encoder.ts';

/** Messages to a thread and bodies of requests: smaller ones would be mostly overhead. */
const BATCH = 512 << 10;
const NEWLINE = 0x0a;
/** More are not needed at a time. */
const MAX_FREE = 8;

/** Complete lines in the first `length` bytes, and some bytes more. */
export interface LineBatch {
  buffer: ArrayBuffer;
  length: number;
}

/** Buffers of batches, to be used again. */
export class BatchBuffers {
  readonly #free: ArrayBuffer[] = [];

  take(): ArrayBuffer {
    return this.#free.pop() ?? new ArrayBuffer(BATCH + PADDING);
  }

  release(buffer: ArrayBuffer): void {
    if (buffer.byteLength === BATCH + PADDING && this.#free.length < MAX_FREE) this.#free.push(buffer);
  }
}

/** Pieces of lines as batches of complete ones. A longer line makes a longer batch. */
export async function* lineBatches(
  pieces: AsyncIterable<Buffer>,
  buffers: BatchBuffers,
): AsyncGenerator<LineBatch> {
  let bytes = new Uint8Array(buffers.take());
  let length = 0;
  for await (const piece of pieces) {
    for (let at = 0; at < piece.length; ) {
      const count = Math.min(piece.length - at, bytes.length - PADDING - length);
      bytes.set(piece.subarray(at, at + count), length);
      at += count;
      length += count;
      if (length < bytes.length - PADDING) continue;
      const end = bytes.lastIndexOf(NEWLINE, length - 1) + 1;
      if (end === 0) {
        const known = length + piece.length - at + PADDING;
        bytes = new Uint8Array(bytes.buffer.transfer(Math.max(bytes.length * 2, known)));
        continue;
      }
      const rest = bytes.slice(end, length);
      yield batchOf(bytes.buffer, end);
      bytes = new Uint8Array(buffers.take());
      if (rest.length > bytes.length - PADDING) bytes = new Uint8Array(rest.length * 2 + PADDING);
      bytes.set(rest);
      length = rest.length;
    }
  }
  if (length === 0) return;
  if (bytes[length - 1] !== NEWLINE) bytes[length++] = NEWLINE;
  yield batchOf(bytes.buffer, length);
}

/** Without the memory that a long line has reserved in vain. */
function batchOf(buffer: ArrayBuffer, length: number): LineBatch {
  return { buffer: buffer.byteLength > BATCH + PADDING ? buffer.transfer(length + PADDING) : buffer, length };
}
