import { BifractError } from '../../contract/errors.ts';
import { type ByteSource, type FileDescription, type FrameEntry, readFrames } from '../../format/index.ts';
import { compareTimes } from '../../policy/instant.ts';
import type { Key } from '../../ports/key.ts';
import type { CallOptions, Timestamp } from '../../ports/types.ts';
import type { FileReport } from '../inspect/contract.ts';
import type { ArchiveBrowser, BrowsedRow, MatchedRows, SearchPattern } from './contract.ts';
import { type BlockSearch, searchBlocks } from './match-thread.ts';
import { BlockCache, RowBlock } from './row-block.ts';

const CACHE_BYTES = 32 * 1024 * 1024;
/** Frames read at a time when searching backwards. */
const BACK_FRAMES = 4;

type Described = FileDescription & { index: FrameEntry[] };

/** Reads rows through the index of an archive: one frame per row. */
export class IndexedReader implements ArchiveBrowser {
  readonly report: FileReport;
  readonly rows: number;
  readonly complete = true;
  readonly #open: (options: CallOptions) => ByteSource;
  readonly #keys: readonly Key[];
  readonly #description: Described;
  /** First row number of each frame, then the total. */
  readonly #starts: Float64Array;
  readonly #cache = new BlockCache(CACHE_BYTES);

  /** Throws `DAMAGED` if index and trailer disagree. */
  constructor(
    report: FileReport,
    open: (options: CallOptions) => ByteSource,
    keys: readonly Key[],
    description: Described,
  ) {
    this.report = report;
    this.#open = open;
    this.#keys = keys;
    this.#description = description;
    this.#starts = new Float64Array(description.index.length + 1);
    for (const [frame, { rows }] of description.index.entries()) {
      this.#starts[frame + 1] = (this.#starts[frame] as number) + rows;
    }
    this.rows = this.#starts.at(-1) as number;
    if (this.rows !== description.end?.rows) {
      throw new BifractError('DAMAGED', 'The row counts of index and trailer differ', {
        hint: 'Compare with another copy; see `bifract verify` for details.',
      });
    }
  }

  async read(from: number, count: number, options: CallOptions = {}): Promise<BrowsedRow[]> {
    const [start, end] = [Math.max(0, from), Math.min(this.rows, from + count)];
    if (start >= end) return [];
    const rows: BrowsedRow[] = [];
    for await (const block of this.#blocks(this.#frameOf(start), this.#frameOf(end - 1) + 1, options)) {
      rows.push(...block.read(start, end));
    }
    return rows;
  }

  async at(time: Timestamp, options: CallOptions = {}): Promise<number> {
    const { index } = this.#description;
    const frame = index.findIndex(({ last }) => last !== null && compareTimes(last.ts, time) >= 0);
    if (frame < 0) return this.rows;
    for await (const block of this.#blocks(frame, frame + 1, options)) return block.at(time);
    return this.rows;
  }

  async find(
    pattern: SearchPattern,
    from: number,
    direction: 'next' | 'previous',
    options: CallOptions = {},
  ): Promise<number | null> {
    const search = searchBlocks(pattern);
    try {
      if (this.rows === 0) return null;
      const frame = this.#frameOf(Math.min(Math.max(0, from), this.rows - 1));
      if (direction === 'next')
        return from >= this.rows ? null : await this.#findNext(search, frame, from, options);
      return from < 0 ? null : await this.#findPrevious(search, frame, from, options);
    } finally {
      search.close();
    }
  }

  async *matches(pattern: SearchPattern, options: CallOptions = {}): AsyncGenerator<MatchedRows> {
    const search = searchBlocks(pattern);
    const frames = this.#description.index.length;
    try {
      for await (const { frame, plain } of readFrames(
        this.#open(options),
        this.#description,
        this.#keys,
        0,
        frames,
        options,
      )) {
        const block = this.#blockOf(frame, plain);
        yield { matches: await block.matches(search, options), searched: block.end };
      }
    } finally {
      search.close();
    }
  }

  async close(): Promise<void> {
    this.#cache.clear();
  }

  async #findNext(
    search: BlockSearch,
    frame: number,
    from: number,
    options: CallOptions,
  ): Promise<number | null> {
    for await (const block of this.#blocks(frame, this.#description.index.length, options)) {
      const found = await block.find(search, from, 'next', options);
      if (found !== null) return found;
    }
    return null;
  }

  async #findPrevious(
    search: BlockSearch,
    frame: number,
    from: number,
    options: CallOptions,
  ): Promise<number | null> {
    for (let end = frame + 1; end > 0; end -= BACK_FRAMES) {
      let found: number | null = null;
      for await (const block of this.#blocks(Math.max(0, end - BACK_FRAMES), end, options)) {
        found = (await block.find(search, from, 'previous', options)) ?? found;
      }
      if (found !== null) return found;
    }
    return null;
  }

  /** The frame that contains a row. */
  #frameOf(row: number): number {
    let [low, high] = [0, this.#description.index.length - 1];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#starts[middle + 1] as number) <= row) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Blocks of a range of frames, from the cache as long as possible; the rest is read ahead. */
  async *#blocks(from: number, to: number, options: CallOptions): AsyncGenerator<RowBlock> {
    let frame = from;
    for (; frame < to; frame++) {
      const cached = this.#cache.get(frame);
      if (cached === undefined) break;
      options.signal?.throwIfAborted();
      yield cached;
    }
    const source = this.#open(options);
    for await (const read of readFrames(source, this.#description, this.#keys, frame, to, options)) {
      const block = this.#blockOf(read.frame, read.plain);
      this.#cache.set(read.frame, block);
      yield block;
    }
  }

  #blockOf(frame: number, plain: Buffer): RowBlock {
    const header = frame === 0 ? plain.indexOf('\n') + 1 : 0;
    const block = new RowBlock(this.#starts[frame] as number, plain.subarray(header));
    if (block.end === this.#starts[frame + 1]) return block;
    throw new BifractError('DAMAGED', `The row count of frame ${frame} differs from the index`, {
      hint: 'Compare with another copy; see `bifract verify` for details.',
    });
  }
}
