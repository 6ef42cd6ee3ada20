import type { DecodedPiece } from './content-decoder.ts';
import type { End, FrameEntry, Head, Trailer } from './ends.ts';
import { parseEnd, parseHead } from './ends-json.ts';
import { cutOff, damaged } from './faults.ts';
import { END_MAGIC, HEAD_MAGIC } from './frame.ts';
import type { StreamFrame } from './frame-splitter.ts';
import type { Key } from './key.ts';
import { openTail } from './trailer.ts';

/** What the content came to, counted while it was read. */
interface Totals {
  lines: number;
  bytes: number;
  sha256: string;
}

/** The counted part of a frame's entry, four numbers a frame: all of a long file's are held. */
const PER_FRAME = 4;

/**
 * Checks what a file with sealed ends says of itself: a head first, an end last, and both, the content and
 * the trailer agreeing. Frames are handed in as they are read.
 */
export class EndsChecker {
  head: Head | null = null;
  end: End | null = null;
  readonly #seen: number[] = [];
  #open: { plain: number; lines: number } = { plain: 0, lines: 0 };

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
    this.#open.plain += piece.bytes.length;
    this.#open.lines += lines;
    if (!piece.last) return;
    this.#seen.push(piece.position, piece.size, this.#open.plain, this.#open.lines);
    this.#open = { plain: 0, lines: 0 };
  }

  /** Compares everything, once the stream is over. `tail.after` is all that follows the end mark. */
  async finish(
    totals: Totals,
    tail: { key: Key; base: Buffer; offset: number; after: Buffer },
  ): Promise<void> {
    const { head, end } = this;
    if (head === null) throw cutOff('it has no head');
    if (end === null) throw cutOff('the end that its head promises is missing');
    const header = head.kind === 'archive' ? 1 : 0;
    const lines = head.kind === 'archive' ? totals.lines : 0;
    const agrees = end.bytes === totals.bytes && end.sha256 === totals.sha256;
    if (!agrees || end.lines !== lines || end.rows !== lines - header) {
      throw damaged(tail.offset, 'its content is not what its end says');
    }
    const trailer = await openTail(tail.key, tail.base, tail.offset, tail.after);
    this.#compare(trailer, tail.offset);
  }

  #compare(trailer: Trailer, at: number): void {
    const same =
      JSON.stringify(trailer.head) === JSON.stringify(this.head) &&
      JSON.stringify(trailer.end) === JSON.stringify(this.end) &&
      trailer.index.length * PER_FRAME === this.#seen.length &&
      trailer.index.every((entry, index) => this.#agrees(entry, index));
    if (!same) throw damaged(at, 'the trailer describes another content');
  }

  #agrees(entry: FrameEntry, index: number): boolean {
    const [offset, size, plain, lines] = this.#seen.slice(index * PER_FRAME, (index + 1) * PER_FRAME);
    const header = index === 0 ? 1 : 0;
    const rows = this.head?.kind === 'archive' ? (lines as number) - header : 0;
    return entry.offset === offset && entry.size === size && entry.plain === plain && entry.rows === rows;
  }

  #refuseAfterEnd(at: number): void {
    if (this.end !== null) throw damaged(at, 'there is more after its end');
  }
}

function noHead(at: number): Error {
  return damaged(at, 'its head is missing');
}
