import type { LineBlock } from '../../ports/log-database.ts';

/** Lines of a source that are read ahead of their turn, bytes. */
const AHEAD_BYTES = 8 << 20;
/** Longer blocks are single lines: two sources would need the memory for several of them. */
const LONG_BYTES = 4 << 20;

/** Lines in memory of their own. */
export interface OwnedBlock extends LineBlock {
  /** Call once the bytes are no longer needed: the memory is reused. */
  free(): void;
}

/**
 * Reads up to `streams` sources at the same time, and yields all blocks of the first one, then all of the next one, and so
 * on. An error of a source is thrown in its turn, after the blocks before it.
 *
 * `stop` must end the sources: it is called at the end, however that comes about.
 */
export async function* joinInOrder(
  sources: AsyncIterable<AsyncIterable<OwnedBlock>>,
  streams: number,
  stop: () => void,
): AsyncGenerator<OwnedBlock> {
  const join = new Join(streams);
  const running = join.fill(sources);
  try {
    yield* join.blocks();
  } finally {
    join.close();
    stop();
    await running;
  }
}

/** What is read of a source but not yet consumed. */
interface Stream {
  blocks: OwnedBlock[];
  bytes: number;
  /** Set once it has been read to its end; with the error that ended it. */
  end?: { error?: unknown };
}

class Join {
  #streams: number;
  readonly #open: Stream[] = [];
  readonly #pumps: Promise<void>[] = [];
  #end: Stream['end'];
  #closed = false;
  #changed = Promise.withResolvers<void>();

  constructor(streams: number) {
    this.#streams = streams;
  }

  /** Starts the sources, each once there are less than `streams` unconsumed ones. Never throws. */
  async fill(sources: AsyncIterable<AsyncIterable<OwnedBlock>>): Promise<void> {
    try {
      for await (const source of sources) {
        if (this.#closed) break;
        const stream: Stream = { blocks: [], bytes: 0 };
        this.#open.push(stream);
        this.#pumps.push(this.#pump(stream, source));
        while (!this.#closed && this.#open.length >= this.#streams) await this.#changed.promise;
      }
      this.#end = {};
    } catch (error) {
      this.#end = { error };
    }
    this.#notify();
    await Promise.all(this.#pumps);
  }

  async *blocks(): AsyncGenerator<OwnedBlock> {
    for (;;) {
      const [stream] = this.#open;
      const block = stream?.blocks.shift();
      if (stream && block) {
        stream.bytes -= block.bytes.length;
        this.#notify();
        yield block;
        continue;
      }
      const end = stream ? stream.end : this.#end;
      if (end && 'error' in end) throw end.error;
      if (end && !stream) return;
      if (end) {
        this.#open.shift();
        this.#notify();
      } else await this.#changed.promise;
    }
  }

  close(): void {
    this.#closed = true;
    this.#notify();
  }

  async #pump(stream: Stream, source: AsyncIterable<OwnedBlock>): Promise<void> {
    try {
      for await (const block of source) {
        if (this.#closed) break;
        if (block.bytes.length >= LONG_BYTES) this.#streams = 1;
        stream.blocks.push(block);
        stream.bytes += block.bytes.length;
        this.#notify();
        while (!this.#closed && this.#isFull(stream)) await this.#changed.promise;
      }
      stream.end = {};
    } catch (error) {
      stream.end = { error };
    }
    this.#notify();
  }

  /** The first one is consumed at once. */
  #isFull(stream: Stream): boolean {
    if (stream === this.#open[0]) return stream.blocks.length > 0;
    return stream.bytes >= AHEAD_BYTES;
  }

  #notify(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}
