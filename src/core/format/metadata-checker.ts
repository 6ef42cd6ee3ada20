import type { Key } from '../ports/key.ts';
import type { DecodedPiece } from './content-decoder.ts';
import { cutOff, damaged } from './format-errors.ts';
import { END_MAGIC, HEAD_MAGIC } from './frame.ts';
import type { StreamFrame } from './frame-splitter.ts';
import type { End, FrameEntry, Head, Trailer } from './metadata.ts';
import { parseEnd, parseHead } from './metadata-json.ts';
import { openTail } from './trailer.ts';

/** Totals of the content, counted while reading. */
interface Totals {
  lines: number;
  bytes: number;
  sha256: string;
}

/** Numbers kept per frame; kept flat, as a long file has many frames. */
const PER_FRAME = 4;

/**
 * Checks that a file has its head first and its end last, and that both match the content and the trailer.
 * Call it with each frame as it is read.
 */
export class MetadataChecker {
  head: Head | null = null;
  end: End | null = null;
  readonly #frames: number[] = [];
  #current: { plain: number; lines: number } = { plain: 0, lines: 0 };

  skippable(frame: StreamFrame & { kind: 'skippable' }): void {
    this.#refuseAfterEnd(frame.at);
    if (this.head === null) {
      if (frame.magic !== HEAD_MAGIC || frame.payload === undefined) throw noHead(frame.at);
      this.head = parseHead(frame.payload, frame.at);
    } else if (frame.magic === END_MAGIC && frame.payload !== undefined) {
      this.end = parseEnd(frame.payload, frame.at);
    }
  }

  content(piece: DecodedPiece & { kind: 'content' }, lines: number): void {
    this.#refuseAfterEnd(piece.at);
    if (this.head === null) throw noHead(piece.at);
    this.#current.plain += piece.bytes.length;
    this.#current.lines += lines;
    if (!piece.last) return;
    this.#frames.push(piece.position, piece.size, this.#current.plain, this.#current.lines);
    this.#current = { plain: 0, lines: 0 };
  }

  /** Call at the end of the stream. `tail.after` is everything after the end marker. */
  async finish(
    totals: Totals,
    tail: { key: Key; base: Buffer; offset: number; after: Buffer },
  ): Promise<void> {
    const { head, end } = this;
    if (head === null) throw cutOff('the head is missing');
    if (end === null) throw cutOff('the end frame is missing');
    const header = head.kind === 'archive' ? 1 : 0;
    const lines = head.kind === 'archive' ? totals.lines : 0;
    const agrees = end.bytes === totals.bytes && end.sha256 === totals.sha256;
    if (!agrees || end.lines !== lines || end.rows !== lines - header) {
      throw damaged(tail.offset, 'the content does not match the end frame');
    }
    const trailer = await openTail(tail.key, tail.base, tail.offset, tail.after);
    this.#compare(trailer, tail.offset);
  }

  #compare(trailer: Trailer, at: number): void {
    const same =
      JSON.stringify(trailer.head) === JSON.stringify(this.head) &&
      JSON.stringify(trailer.end) === JSON.stringify(this.end) &&
      trailer.index.length * PER_FRAME === this.#frames.length &&
      trailer.index.every((entry, index) => this.#agrees(entry, index));
    if (!same) throw damaged(at, 'the trailer does not match the content');
  }

  #agrees(entry: FrameEntry, index: number): boolean {
    const [offset, size, plain, lines] = this.#frames.slice(index * PER_FRAME, (index + 1) * PER_FRAME);
    const header = index === 0 ? 1 : 0;
    const rows = this.head?.kind === 'archive' ? (lines as number) - header : 0;
    return entry.offset === offset && entry.size === size && entry.plain === plain && entry.rows === rows;
  }

  #refuseAfterEnd(at: number): void {
    if (this.end !== null) throw damaged(at, 'data follows the end frame');
  }
}

function noHead(at: number): Error {
  return damaged(at, 'the head is missing');
}
