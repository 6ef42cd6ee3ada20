import type { BifractError } from '../../contract/errors.ts';
import type { ByteCursor } from '../envelope/byte-cursor.ts';
import { cutOff, damaged, notBifract, unsupported } from '../errors.ts';
import { END_MAGIC, HEAD_MAGIC, SKIPPABLE_HEAD_BYTES, ZSTD_MAGIC } from './frame.ts';

const MAGIC_BYTES = 4;
const BLOCK_HEAD_BYTES = 3;
const BLOCK_RLE = 1;
const BLOCK_RESERVED = 3;
const MAX_BLOCK_BYTES = 128 * 1024;
const CHECKSUM_BYTES = 4;
/** Heads and ends are some hundred bytes; a longer frame is neither. */
const MAX_JSON_BYTES = 1024 * 1024;
/** Default limit of libzstd. */
export const MAX_WINDOW_BYTES = 128 * 1024 * 1024;

/** A frame of the compressed stream. */
export type StreamFrame = { position: number; at: number } & (
  | {
      kind: 'skippable';
      magic: number;
      /** Set for frames that may be a head or an end. */
      payload: Buffer | undefined;
    }
  | {
      kind: 'content';
      /** Plain size, if the frame declares it. */
      plain: number | undefined;
      /** The frame's bytes; read to the end before the next frame is requested. */
      body: AsyncIterable<Buffer>;
    }
);

/** A parsed frame header. */
interface FrameHeader {
  bytes: number;
  window: number;
  plain: number | undefined;
  checksum: boolean;
  dictionary: boolean;
}

/**
 * Splits a compressed stream into frames. `position` counts the stream's bytes; `locate` maps one to the stored
 * file. Rejects anything that is not a frame: zstd decoders silently ignore data after the last frame.
 */
export async function* splitFrames(
  stream: ByteCursor,
  locate: (position: number) => number,
): AsyncGenerator<StreamFrame> {
  while (await stream.fill(1)) {
    const position = stream.position;
    const at = locate(position);
    const first = position === 0;
    if (!(await stream.fill(MAGIC_BYTES)))
      throw first ? notAFrame(true, at) : cutOff('a frame is incomplete');
    const magic = stream.peek(MAGIC_BYTES).readUInt32LE();
    if (magic === ZSTD_MAGIC) {
      const header = await readHeader(stream, at);
      const body = frameBody(stream, header, at);
      yield { kind: 'content', position, at, plain: header.plain, body };
    } else if (magic >>> 4 === HEAD_MAGIC >>> 4) {
      yield { kind: 'skippable', position, at, magic, payload: await readSkippable(stream, magic) };
    } else {
      throw notAFrame(first, at);
    }
  }
}

function notAFrame(first: boolean, at: number): BifractError {
  if (first) return notBifract('The file decrypts, but its content is not zstd-compressed');
  return damaged(at, 'expected a zstd frame');
}

async function need(stream: ByteCursor, count: number): Promise<void> {
  if (!(await stream.fill(count))) throw cutOff('the content ends inside a frame');
}

async function readSkippable(stream: ByteCursor, magic: number): Promise<Buffer | undefined> {
  await need(stream, SKIPPABLE_HEAD_BYTES);
  const length = stream.take(SKIPPABLE_HEAD_BYTES).readUInt32LE(MAGIC_BYTES);
  if ((magic === HEAD_MAGIC || magic === END_MAGIC) && length <= MAX_JSON_BYTES) {
    await need(stream, length);
    return stream.take(length);
  }
  for await (const _ of pieces(stream, length));
  return undefined;
}

/** Parses the frame's header without consuming it: `frameBody` yields it. */
async function readHeader(stream: ByteCursor, at: number): Promise<FrameHeader> {
  await need(stream, MAGIC_BYTES + 1);
  const descriptor = stream.peek(MAGIC_BYTES + 1)[MAGIC_BYTES] as number;
  const length = MAGIC_BYTES + headerBytes(descriptor);
  await need(stream, length);
  const header = parseFrameHeader(stream.peek(length).subarray(MAGIC_BYTES));
  if (header === undefined) throw damaged(at, 'a frame header is invalid');
  if (header.dictionary) throw unsupported('The content is compressed with a zstd dictionary');
  if (header.window > MAX_WINDOW_BYTES) {
    const [needed, limit] = [header.window, MAX_WINDOW_BYTES].map((bytes) => Math.ceil(bytes / 2 ** 20));
    throw unsupported(`The content needs a zstd window of ${needed} MiB; at most ${limit} MiB are supported`);
  }
  return header;
}

function headerBytes(descriptor: number): number {
  const single = (descriptor >> 5) & 1;
  const dictionary = [0, 1, 2, 4][descriptor & 3] as number;
  const plain = [single, 2, 4, 8][descriptor >> 6] as number;
  return 1 + (1 - single) + dictionary + plain;
}

/** Parses a frame header without its magic; undefined if a reserved bit is set. */
export function parseFrameHeader(header: Buffer): FrameHeader | undefined {
  const descriptor = header[0] as number;
  if ((descriptor & 8) !== 0) return undefined;
  const single = (descriptor & 32) !== 0;
  const sizeBytes = [single ? 1 : 0, 2, 4, 8][descriptor >> 6] as number;
  const plain = plainSize(header.subarray(header.length - sizeBytes));
  return {
    bytes: MAGIC_BYTES + header.length,
    window: single ? (plain ?? 0) : windowSize(header[1] as number),
    plain,
    checksum: (descriptor & 4) !== 0,
    dictionary: (descriptor & 3) !== 0,
  };
}

function plainSize(field: Buffer): number | undefined {
  if (field.length === 0) return undefined;
  if (field.length === 8) return Number(field.readBigUInt64LE());
  return field.readUIntLE(0, field.length) + (field.length === 2 ? 256 : 0);
}

function windowSize(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 7);
}

async function* frameBody(stream: ByteCursor, header: FrameHeader, at: number): AsyncGenerator<Buffer> {
  yield stream.take(header.bytes);
  for (let last = false; !last; ) {
    await need(stream, BLOCK_HEAD_BYTES);
    const head = stream.peek(BLOCK_HEAD_BYTES).readUIntLE(0, BLOCK_HEAD_BYTES);
    const type = (head >> 1) & 3;
    const size = head >> 3;
    if (type === BLOCK_RESERVED || size > MAX_BLOCK_BYTES) throw damaged(at, 'a frame block is invalid');
    yield* pieces(stream, BLOCK_HEAD_BYTES + (type === BLOCK_RLE ? 1 : size));
    last = (head & 1) === 1;
  }
  if (header.checksum) yield* pieces(stream, CHECKSUM_BYTES);
}

async function* pieces(stream: ByteCursor, count: number): AsyncGenerator<Buffer> {
  for (let left = count; left > 0; ) {
    await need(stream, 1);
    const piece = (await stream.some(left)) as Buffer;
    left -= piece.length;
    yield piece;
  }
}
