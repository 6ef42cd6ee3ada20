import { decompressFrame, decompressStream } from './decompress.ts';
import { FRAMES_READ_AHEAD } from './frame.ts';
import type { StreamFrame } from './frame-splitter.ts';

/** Frames of up to so much content are held whole and decompressed in parallel; longer ones are streamed. */
const WHOLE_FRAME_BYTES = 16 * 1024 * 1024;
/** A frame that compresses to more than its content, and then some, is not worth holding. */
const WHOLE_SLACK_BYTES = 64 * 1024;

/** A frame on its way out, in the order of the stream. */
export type DecodedPiece =
  | { kind: 'skippable'; frame: StreamFrame & { kind: 'skippable' } }
  /** Content; `last` tells that the frame is over. `size` is the frame's compressed size once it is. */
  | { kind: 'content'; position: number; at: number; size: number; bytes: Buffer; last: boolean };

type ContentStreamFrame = StreamFrame & { kind: 'content' };

/**
 * Decompresses the frames of a stream, several at a time where they are small, and yields everything in order.
 * When the stream turns out damaged, what stood before that place is yielded before the error is thrown.
 */
export async function* decodeFrames(frames: AsyncIterable<StreamFrame>): AsyncGenerator<DecodedPiece> {
  const running: Promise<DecodedPiece>[] = [];
  const drain = async function* (keep: number) {
    while (running.length > keep) yield await (running.shift() as Promise<DecodedPiece>);
  };
  try {
    for await (const frame of frames) {
      if (frame.kind === 'skippable') {
        running.push(Promise.resolve({ kind: 'skippable', frame }));
      } else {
        const parts = await collect(frame);
        if (parts.whole) running.push(decodeWhole(frame, parts.size, parts.bytes));
        else {
          yield* drain(0);
          yield* decodeLarge(frame, parts.bytes, parts.rest);
        }
      }
      running.at(-1)?.catch(() => {});
      yield* drain(FRAMES_READ_AHEAD - 1);
    }
  } catch (error) {
    yield* drain(0);
    throw error;
  } finally {
    await Promise.allSettled(running);
  }
  yield* drain(0);
}

interface Collected {
  whole: boolean;
  size: number;
  bytes: Buffer[];
  rest: AsyncIterator<Buffer>;
}

/** Reads a frame's bytes as long as they are few enough to be held. */
async function collect(frame: ContentStreamFrame): Promise<Collected> {
  const rest = frame.body[Symbol.asyncIterator]();
  const bytes: Buffer[] = [];
  let size = 0;
  const limit = frame.plain === undefined || frame.plain > WHOLE_FRAME_BYTES ? 0 : frame.plain;
  while (limit > 0 && size <= limit + WHOLE_SLACK_BYTES) {
    const { done, value } = await rest.next();
    if (done) return { whole: true, size, bytes, rest };
    bytes.push(value);
    size += value.length;
  }
  return { whole: false, size, bytes, rest };
}

async function decodeWhole(frame: ContentStreamFrame, size: number, parts: Buffer[]): Promise<DecodedPiece> {
  const { position, at } = frame;
  const bytes = await decompressFrame(Buffer.concat(parts, size), frame.plain as number, at);
  return { kind: 'content', position, at, size, bytes, last: true };
}

async function* decodeLarge(
  frame: ContentStreamFrame,
  begun: Buffer[],
  rest: AsyncIterator<Buffer>,
): AsyncGenerator<DecodedPiece> {
  const { position, at } = frame;
  let size = 0;
  const body = async function* () {
    for (const piece of begun) {
      size += piece.length;
      yield piece;
    }
    for (let next = await rest.next(); !next.done; next = await rest.next()) {
      size += next.value.length;
      yield next.value;
    }
  };
  for await (const bytes of decompressStream(body(), at)) {
    yield { kind: 'content', position, at, size: 0, bytes, last: false };
  }
  yield { kind: 'content', position, at, size, bytes: Buffer.alloc(0), last: true };
}
