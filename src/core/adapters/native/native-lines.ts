import { BifractError } from '../../errors.ts';
import type { LineBlock } from '../../ports/log-database.ts';
import { brokenOff, notLines, Tail } from '../answer-tail.ts';
import { release } from '../release.ts';
import type { DecodeThread } from './decode-thread.ts';
import type { DecodeThreads } from './decode-threads.ts';
import type { Decoded, Stop } from './decoder.ts';
import type { AnswerOf } from './line-feed.ts';

/** Bytes of a message to the thread: small ones would cost more than what they carry. */
const BATCH = 256 << 10;
/**
 * Messages that the thread has before it while their predecessors' lines are on their way out. Lines come once a block of
 * rows is whole: so many as the block before took, and two more, and it has work meanwhile.
 */
const AHEAD = { first: 16, least: 5, most: 32 };

/**
 * The lines of an answer in Native format, whose chunks are gone once they are read: the same bytes as those of
 * ClickHouse's text. Returns undefined after the last one, or from where on the rest must be asked for anew, because of a
 * type or a size that the decoder does not take on. What ClickHouse says in the answer itself, a half block and a
 * connection that breaks throw `QUERY_FAILED`.
 */
export async function* nativeLines(
  chunks: AsyncIterable<Buffer>,
  of: AnswerOf,
  threads: DecodeThreads,
): AsyncGenerator<LineBlock, Stop | undefined> {
  const thread = threads.take(of);
  let lines = 0;
  try {
    for await (const { blocks, end } of decoded(chunks, thread)) {
      for (const block of blocks) {
        lines += block.lines;
        yield block;
        thread.reuse(block.bytes);
      }
      if (end === undefined) continue;
      if (end === 'all') return undefined;
      if ('stop' in end) return { ...end.stop, lines };
      throw notLines(tailOf(end.not_data));
    }
    throw notLines(tailOf(Buffer.alloc(0)));
  } finally {
    await threads.give(thread);
  }
}

async function* decoded(chunks: AsyncIterable<Buffer>, thread: DecodeThread): AsyncGenerator<Decoded> {
  const answers: Promise<Decoded>[] = [];
  let ahead = AHEAD.first;
  let silent = 0;
  try {
    for await (const { buffer, length } of batches(chunks, thread)) {
      answers.push(thread.add(buffer, length));
      while (answers.length > ahead) {
        const answer = await (answers.shift() as Promise<Decoded>);
        silent++;
        if (answer.blocks.length > 0) {
          ahead = Math.min(AHEAD.most, Math.max(AHEAD.least, silent + 2));
          silent = 0;
        }
        yield answer;
      }
    }
  } catch (error) {
    if (error instanceof BifractError) throw error;
    const { end } = await thread.finish();
    const data = typeof end === 'object' && 'not_data' in end ? end.not_data : Buffer.alloc(0);
    throw brokenOff(error, tailOf(data));
  }
  answers.push(thread.finish());
  for (const answer of answers) yield await answer;
}

/** Bytes crossed from another thread are a plain array. */
function tailOf(bytes: Uint8Array): Tail {
  return new Tail([Buffer.from(bytes)]);
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
      release(chunk);
    }
  } catch (error) {
    failure = { error };
  }
  // Before it breaks off, ClickHouse says why.
  if (length > 0) yield { buffer, length };
  if (failure) throw failure.error;
}
