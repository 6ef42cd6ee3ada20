import type { ArchiveBrowser, BrowsedRow, FileReport, SearchPattern } from '../files.ts';
import { archiveBytes, type ByteSource, type Key, readContent } from '../format/index.ts';
import { compareTimes } from '../policy/instant.ts';
import { makeNeedle } from '../policy/needle.ts';
import type { CallOptions, Timestamp } from '../ports/types.ts';
import { BlockCache } from './block-cache.ts';
import { frontOf } from './front.ts';
import { LineFinder } from './line-finder.ts';
import { RowBlock } from './row-block.ts';
import { sizedBlocks } from './sized-blocks.ts';

const CACHE_BYTES = 64 * 1024 * 1024;

/** What is kept of a block that was seen. */
interface Seen {
  first: number;
  rows: number;
  last: Timestamp | null;
}

/**
 * Reads the rows of an archive that has no index. It is read from the front, once, as far as needed; what was
 * read lately is kept, and going back further reads from the front again.
 */
export class FrontBrowser implements ArchiveBrowser {
  readonly report: FileReport;
  complete = false;
  readonly #open: (options: CallOptions) => ByteSource;
  readonly #keys: readonly Key[];
  readonly #seen: Seen[] = [];
  readonly #cache = new BlockCache(CACHE_BYTES);
  #reader: AsyncGenerator<Buffer> | undefined;
  /** Number of the block that the reader yields next. */
  #next = 0;
  /** Calls are done one after the other: there is one reader. */
  #queue: Promise<unknown> = Promise.resolve();

  constructor(report: FileReport, open: (options: CallOptions) => ByteSource, keys: readonly Key[]) {
    this.report = report;
    this.#open = open;
    this.#keys = keys;
  }

  get rows(): number {
    const last = this.#seen.at(-1);
    return last ? last.first + last.rows : 0;
  }

  read(from: number, count: number, options: CallOptions = {}): Promise<BrowsedRow[]> {
    return this.#alone(async () => {
      const start = Math.max(0, from);
      const rows: BrowsedRow[] = [];
      for await (const block of this.#blocksFrom(start, options)) {
        rows.push(...block.read(start, from + count));
        if (block.end >= from + count) break;
      }
      return rows;
    }, options);
  }

  at(time: Timestamp, options: CallOptions = {}): Promise<number> {
    return this.#alone(async () => {
      const seen = this.#seen.findIndex(({ last }) => last !== null && compareTimes(last, time) >= 0);
      const from = seen < 0 ? this.rows : (this.#seen[seen] as Seen).first;
      for await (const block of this.#blocksFrom(from, options)) {
        const row = block.at(time);
        if (row < block.end) return row;
      }
      return this.rows;
    }, options);
  }

  find(
    pattern: SearchPattern,
    from: number,
    direction: 'next' | 'previous',
    options: CallOptions = {},
  ): Promise<number | null> {
    const finder = new LineFinder(makeNeedle(pattern));
    return this.#alone(
      () =>
        direction === 'next'
          ? this.#findNext(finder, Math.max(0, from), options)
          : this.#findPrevious(finder, from, options),
      options,
    );
  }

  async close(): Promise<void> {
    await this.#queue;
    await this.#reset();
    this.#cache.clear();
  }

  async #findNext(finder: LineFinder, from: number, options: CallOptions): Promise<number | null> {
    for await (const block of this.#blocksFrom(from, options)) {
      const found = block.find(finder, from, 'next');
      if (found !== null) return found;
    }
    return null;
  }

  /** Backwards as far as blocks are kept; what is before them is read once from the front. */
  async #findPrevious(finder: LineFinder, from: number, options: CallOptions): Promise<number | null> {
    if (from < 0) return null;
    for await (const _ of this.#blocksFrom(from, options)) break;
    let number = this.#numberOf(Math.min(from, this.rows - 1));
    for (; number >= 0; number--) {
      const block = this.#cache.get(number);
      if (block === undefined) break;
      const found = block.find(finder, from, 'previous');
      if (found !== null) return found;
    }
    let found: number | null = null;
    for (let before = 0; before <= number; before++) {
      found = (await this.#block(before, options))?.find(finder, from, 'previous') ?? found;
    }
    return found;
  }

  /** Blocks from the one that holds a row, to the end of the file. */
  async *#blocksFrom(row: number, options: CallOptions): AsyncGenerator<RowBlock> {
    for (let number = row < this.rows ? this.#numberOf(row) : this.#seen.length; ; number++) {
      const block = await this.#block(number, options);
      if (block === undefined) return;
      if (block.end > row) yield block;
    }
  }

  #numberOf(row: number): number {
    return this.#seen.findLastIndex(({ first }) => first <= row);
  }

  async #block(number: number, options: CallOptions): Promise<RowBlock | undefined> {
    const cached = this.#cache.get(number);
    if (cached) return cached;
    if (this.complete && number >= this.#seen.length) return undefined;
    if (number < this.#next) await this.#reset();
    let block: RowBlock | undefined;
    while (this.#next <= number) {
      options.signal?.throwIfAborted();
      block = await this.#advance();
      if (block === undefined) return undefined;
    }
    return block;
  }

  async #advance(): Promise<RowBlock | undefined> {
    this.#reader ??= sizedBlocks(
      archiveBytes(readContent(frontOf(this.#open({}), Number.POSITIVE_INFINITY), { keys: this.#keys })),
    );
    const { done, value } = await this.#reader.next().catch(async (error: unknown) => {
      await this.#reset();
      throw error;
    });
    if (done) {
      this.complete = true;
      return undefined;
    }
    const number = this.#next++;
    const block = new RowBlock(this.#seen[number]?.first ?? this.rows, value);
    this.#seen[number] ??= { first: block.first, rows: block.rows, last: block.timeOf(-1) };
    this.#cache.set(number, block);
    return block;
  }

  async #reset(): Promise<void> {
    const reader = this.#reader;
    this.#reader = undefined;
    this.#next = 0;
    await reader?.return(undefined);
  }

  /** A call that is cancelled ends at once; what it had begun ends before the next call begins. */
  #alone<T>(work: () => Promise<T>, { signal }: CallOptions): Promise<T> {
    const result = this.#queue.then(() => {
      signal?.throwIfAborted();
      return work();
    });
    this.#queue = result.catch(() => undefined);
    if (signal === undefined) return result;
    return new Promise((resolve, reject) => {
      const abort = () => reject(signal.reason);
      signal.addEventListener('abort', abort, { once: true });
      result.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
    });
  }
}
