import type { ByteSource } from '../../src/core/format/index.ts';
import type { LineBlock } from '../../src/core/ports/log-database.ts';

/** All bytes of a stream. */
export async function collect(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of stream) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** A stream of `bytes` in pieces of `size`. */
export async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** All lines in one block. Copies each block, as its memory is reused. */
export async function collectLines(blocks: AsyncIterable<LineBlock>): Promise<LineBlock> {
  const parts: Buffer[] = [];
  let count = 0;
  for await (const { bytes, lines } of blocks) {
    parts.push(Buffer.from(bytes));
    count += lines;
  }
  return { bytes: Buffer.concat(parts), lines: count };
}

/** The lines of a block, without their newlines. */
export function* blockLines(block: LineBlock): Generator<Buffer> {
  for (let start = 0; start < block.bytes.length; ) {
    const end = block.bytes.indexOf('\n', start);
    yield block.bytes.subarray(start, end);
    start = end + 1;
  }
}

/** A stored file in memory. `reads` records the requested ranges. */
export function memorySource(bytes: Buffer): ByteSource & { reads: [offset: number, length: number][] } {
  const reads: [number, number][] = [];
  return {
    size: bytes.length,
    reads,
    read: async (offset, length) => {
      reads.push([offset, length]);
      return bytes.subarray(offset, offset + length);
    },
    stream: (offset = 0) => inPieces(bytes.subarray(offset), 65_536),
  };
}
