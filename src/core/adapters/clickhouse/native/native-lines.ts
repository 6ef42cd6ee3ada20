import { BifractError } from '../../../contract/errors.ts';
import { freeBuffer } from '../buffers.ts';
import { connectionLost, ResponseTail, unexpectedResponse } from '../errors.ts';
import type { OwnedBlock } from '../join-in-order.ts';
import type { DecodeThread, DecodeThreads } from './decode-thread.ts';
import type { Decoded, Stop } from './decoder.ts';
import type { ResponseScope } from './line-assembler.ts';

/** Bytes per message to the thread: small messages would be mostly overhead. */
const BATCH = 256 << 10;
/**
 * Limits for the messages queued for the thread while earlier lines are consumed. Lines come once a block is complete, so
 * the queue holds as many messages as the previous block took, plus two, to keep the thread busy.
 */
const AHEAD = { first: 16, least: 5, most: 32 };

/**
 * The lines of a response in Native format, byte for byte as in JSONEachRow. Frees the chunks as it reads them. Returns
 * undefined after the last line, or a `Stop` if the decoder does not support a type or a size, and the rest must be
 * requested again. Throws `QUERY_FAILED` for an error message in the response, a partial block or a lost connection.
 */
export async function* nativeLines(
  chunks: AsyncIterable<Buffer>,
  of: ResponseScope,
  threads: DecodeThreads,
): AsyncGenerator<OwnedBlock, Stop | undefined> {
  const thread = threads.acquire(of);
  let lines = 0;
  try {
    for await (const { blocks, end } of decode(chunks, thread)) {
      for (const block of blocks) {
        lines += block.lines;
        yield { ...block, free: () => thread.recycle(block.bytes) };
      }
      if (end === undefined) continue;
      if (end === 'complete') return undefined;
      if ('stop' in end) return { ...end.stop, lines };
      throw unexpectedResponse(tailOf(end.not_data));
    }
    throw unexpectedResponse(tailOf(Buffer.alloc(0)));
  } finally {
    await threads.release(thread);
  }
}

async function* decode(chunks: AsyncIterable<Buffer>, thread: DecodeThread): AsyncGenerator<Decoded> {
  const results: Promise<Decoded>[] = [];
  let ahead = AHEAD.first;
  let empty = 0;
  try {
    for await (const { buffer, length } of batches(chunks, thread)) {
      results.push(thread.add(buffer, length));
      while (results.length > ahead) {
        const result = await (results.shift() as Promise<Decoded>);
        empty++;
        if (result.blocks.length > 0) {
          ahead = Math.min(AHEAD.most, Math.max(AHEAD.least, empty + 2));
          empty = 0;
        }
        yield result;
      }
    }
  } catch (error) {
    if (error instanceof BifractError) throw error;
    const { end } = await thread.finish();
    const data = typeof end === 'object' && 'not_data' in end ? end.not_data : Buffer.alloc(0);
    throw connectionLost(error, tailOf(data));
  }
  results.push(thread.finish());
  for (const result of results) yield await result;
}

/** Bytes from another thread arrive as a plain Uint8Array. */
function tailOf(bytes: Uint8Array): ResponseTail {
  return new ResponseTail([Buffer.from(bytes)]);
}

async function* batches(
  chunks: AsyncIterable<Buffer>,
  thread: DecodeThread,
): AsyncGenerator<{ buffer: ArrayBuffer; length: number }> {
  let buffer = thread.buffer(BATCH);
  let length = 0;
  let failure: { error: unknown } | undefined;
  try {
    for await (const chunk of chunks) {
      for (let at = 0; at < chunk.length; ) {
        const count = Math.min(BATCH - length, chunk.length - at);
        new Uint8Array(buffer).set(chunk.subarray(at, at + count), length);
        at += count;
        length += count;
        if (length < BATCH) continue;
        yield { buffer, length };
        buffer = thread.buffer(BATCH);
        length = 0;
      }
      freeBuffer(chunk);
    }
  } catch (error) {
    failure = { error };
  }
  // The last bytes may contain ClickHouse's error message.
  if (length > 0) yield { buffer, length };
  if (failure) throw failure.error;
}
