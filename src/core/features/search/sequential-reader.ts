import { archiveBytes, type ByteSource, readContent } from '../../format/index.ts';
import { compareTimes } from '../../policy/instant.ts';
import type { Key } from '../../ports/key.ts';
import type { CallOptions, Timestamp } from '../../ports/types.ts';
import type { FileReport } from '../inspect/contract.ts';
import { headBytes } from '../inspect/read-head.ts';
import type { ArchiveBrowser, BrowsedRow, MatchedRows, SearchPattern } from './contract.ts';
import { type BlockSearch, searchBlocks } from './match-thread.ts';
import { BlockCache, RowBlock } from './row-block.ts';

const NEWLINE = 0x0a;
const BLOCK_BYTES = 1024 * 1024;
const CACHE_BYTES = 64 * 1024 * 1024;

/** What is remembered of a block that was read. */
interface BlockInfo {
  first: number;
  rows: number;
  last: Timestamp | null;
}

/**
 * Reads an archive without index: sequentially, as far as needed. Recent blocks are cached; going back
 * further restarts from the beginning.
 */
export class SequentialReader implements ArchiveBrowser {
  readonly report: FileReport;
  complete = false;
  readonly #open: (options: CallOptions) => ByteSource;
  readonly #keys: readonly Key[];
  readonly #blocks: BlockInfo[] = [];
  readonly #cache = new BlockCache(CACHE_BYTES);
  #reader: AsyncGenerator<Buffer> | undefined;
  /** Number of the next block of the reader. */
  #next = 0;
  /** Calls are serialized: there is one reader. */
  #queue: Promise<unknown> = Promise.resolve();

  constructor(report: FileReport, open: (options: CallOptions) => ByteSource, keys: readonly Key[]) {
    this.report = report;
    this.#open = open;
    this.#keys = keys;
  }

  get rows(): number {
    const last = this.#blocks.at(-1);
    return last ? last.first + last.rows : 0;
  }

  read(from: number, count: number, options: CallOptions = {}): Promise<BrowsedRow[]> {
    return this.#exclusive(async () => {
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
    return this.#exclusive(async () => {
      const seen = this.#blocks.findIndex(({ last }) => last !== null && compareTimes(last, time) >= 0);
      const from = seen < 0 ? this.rows : (this.#blocks[seen] as BlockInfo).first;
      for await (const block of this.#blocksFrom(from, options)) {
        const row = block.at(time);
        if (row < block.end) return row;
      }
      return this.rows;
    }, options);
  }

  async find(
    pattern: SearchPattern,
    from: number,
    direction: 'next' | 'previous',
    options: CallOptions = {},
  ): Promise<number | null> {
    const search = searchBlocks(pattern);
    const find = () =>
      direction === 'next'
        ? this.#findNext(search, Math.max(0, from), options)
        : this.#findPrevious(search, from, options);
    try {
      return await this.#exclusive(find, options);
    } finally {
      search.close();
    }
  }

  async *matches(pattern: SearchPattern, options: CallOptions = {}): AsyncGenerator<MatchedRows> {
    const search = searchBlocks(pattern);
    let first = 0;
    try {
      for await (const bytes of this.#read(options)) {
        options.signal?.throwIfAborted();
        const block = new RowBlock(first, bytes);
        first = block.end;
        yield { matches: await block.matches(search, options), searched: first };
      }
    } finally {
      search.close();
    }
  }

  async close(): Promise<void> {
    await this.#queue;
    await this.#reset();
    this.#cache.clear();
  }

  async #findNext(search: BlockSearch, from: number, options: CallOptions): Promise<number | null> {
    for await (const block of this.#blocksFrom(from, options)) {
      const found = await block.find(search, from, 'next', options);
      if (found !== null) return found;
    }
    return null;
  }

  /** Searches cached blocks backwards, then reads everything before them once from the beginning. */
  async #findPrevious(search: BlockSearch, from: number, options: CallOptions): Promise<number | null> {
    if (from < 0) return null;
    for await (const _ of this.#blocksFrom(from, options)) break;
    let number = this.#numberOf(Math.min(from, this.rows - 1));
    for (; number >= 0; number--) {
      const block = this.#cache.get(number);
      if (block === undefined) break;
      const found = await block.find(search, from, 'previous', options);
      if (found !== null) return found;
    }
    let found: number | null = null;
    for (let before = 0; before <= number; before++) {
      const block = await this.#block(before, options);
      found = (await block?.find(search, from, 'previous', options)) ?? found;
    }
    return found;
  }

  /** Blocks from the one with the given row to the end. */
  async *#blocksFrom(row: number, options: CallOptions): AsyncGenerator<RowBlock> {
    for (let number = row < this.rows ? this.#numberOf(row) : this.#blocks.length; ; number++) {
      const block = await this.#block(number, options);
      if (block === undefined) return;
      if (block.end > row) yield block;
    }
  }

  #numberOf(row: number): number {
    return this.#blocks.findLastIndex(({ first }) => first <= row);
  }

  async #block(number: number, options: CallOptions): Promise<RowBlock | undefined> {
    const cached = this.#cache.get(number);
    if (cached) return cached;
    if (this.complete && number >= this.#blocks.length) return undefined;
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
    this.#reader ??= this.#read({});
    const { done, value } = await this.#reader.next().catch(async (error: unknown) => {
      await this.#reset();
      throw error;
    });
    if (done) {
      this.complete = true;
      return undefined;
    }
    const number = this.#next++;
    const block = new RowBlock(this.#blocks[number]?.first ?? this.rows, value);
    this.#blocks[number] ??= { first: block.first, rows: block.rows, last: block.timeOf(-1) };
    this.#cache.set(number, block);
    return block;
  }

  /** All blocks, from the start of the file. */
  #read(options: CallOptions): AsyncGenerator<Buffer> {
    const head = headBytes(this.#open(options), Number.POSITIVE_INFINITY);
    return sizedBlocks(archiveBytes(readContent(head, { keys: this.#keys })));
  }

  async #reset(): Promise<void> {
    const reader = this.#reader;
    this.#reader = undefined;
    this.#next = 0;
    await reader?.return(undefined);
  }

  /** A cancelled call rejects at once, but its work finishes before the next call starts. */
  #exclusive<T>(work: () => Promise<T>, { signal }: CallOptions): Promise<T> {
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

/**
 * Splits complete lines into blocks of about 1 MiB. The cuts depend only on the lines, not on the input
 * pieces: reading a file again gives the same blocks.
 */
async function* sizedBlocks(lines: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let held: Buffer[] = [];
  let size = 0;
  for await (const piece of lines) {
    held.push(piece);
    size += piece.length;
    if (size < BLOCK_BYTES) continue;
    let rest = Buffer.concat(held, size);
    while (rest.length >= BLOCK_BYTES) {
      const end = rest.indexOf(NEWLINE, BLOCK_BYTES - 1) + 1;
      yield rest.subarray(0, end);
      rest = rest.subarray(end);
    }
    held = rest.length > 0 ? [rest] : [];
    size = rest.length;
  }
  if (size > 0) yield Buffer.concat(held, size);
}
