import type { LineBlock } from '../../ports/log-database.ts';
import { Tail } from '../answer-tail.ts';
import { type AnswerOf, LineFeed } from './line-feed.ts';
import { LineMemory } from './line-memory.ts';
import { NotRead } from './reader.ts';
import type { Cursor } from './row-key.ts';

/** Lines, and how it goes on. */
export interface Decoded {
  blocks: LineBlock[];
  /**
   * Set once there is nothing more to decode: the whole answer was read (`all`), the rest must be asked for anew, from
   * the cursor on or from the beginning, or what came is no data, and this the end of it.
   */
  end?: 'all' | { stop: Omit<Stop, 'lines'> } | { not_data: Buffer };
}

/** Where decoding ended before the answer did. */
export interface Stop {
  /** What was not decoded begins here; without it, at the beginning. */
  cursor: Cursor | undefined;
  /** Smaller blocks of the same rows may be decoded; where not set, only ClickHouse's own text helps. */
  large: boolean;
  /** Lines before that. */
  lines: number;
}

/** A `LineFeed` that answers instead of throwing. */
export class Decoder {
  readonly #feed: LineFeed;
  #tail: Tail | undefined;

  /** `memory`: where lines are written; whoever reads them may give it back. */
  constructor(of: AnswerOf, memory = new LineMemory()) {
    this.#feed = new LineFeed(of, memory);
  }

  add(bytes: Buffer): Decoded {
    if (this.#tail) return this.#tail.add(Buffer.from(bytes)) ? this.#notData(this.#tail) : { blocks: [] };
    return this.#answer(false, () => this.#feed.add(bytes));
  }

  /** The answer has ended, or broke off. */
  finish(): Decoded {
    if (this.#tail) return this.#notData(this.#tail);
    return this.#answer(true, () => this.#feed.end());
  }

  #answer(last: boolean, read: () => void): Decoded {
    try {
      read();
      return { blocks: this.#feed.take(), ...(last && { end: 'all' }) };
    } catch (error) {
      if (!(error instanceof NotRead)) throw error;
      if (error.why === 'unknown' || error.why === 'large') return this.#stop(error.why === 'large');
      // A message may be on its way still.
      this.#tail = new Tail([Buffer.from(this.#feed.unread())]);
      return last ? this.#notData(this.#tail) : { blocks: this.#feed.take() };
    }
  }

  #stop(large: boolean): Decoded {
    this.#feed.settle();
    return { blocks: this.#feed.take(), end: { stop: { cursor: this.#feed.cursor(), large } } };
  }

  #notData(tail: Tail): Decoded {
    return { blocks: [], end: { not_data: tail.last() } };
  }
}
