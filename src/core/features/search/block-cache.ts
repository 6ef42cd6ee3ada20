import type { RowBlock } from './row-block.ts';

/** An LRU cache of blocks up to a number of bytes; the newest block is always kept. */
export class BlockCache {
  readonly #limit: number;
  readonly #blocks = new Map<number, RowBlock>();
  #bytes = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get(number: number): RowBlock | undefined {
    const block = this.#blocks.get(number);
    if (block) {
      this.#blocks.delete(number);
      this.#blocks.set(number, block);
    }
    return block;
  }

  set(number: number, block: RowBlock): void {
    this.#drop(number);
    this.#blocks.set(number, block);
    this.#bytes += block.bytes.length;
    for (const oldest of this.#blocks.keys()) {
      if (this.#bytes <= this.#limit || oldest === number) return;
      this.#drop(oldest);
    }
  }

  clear(): void {
    this.#blocks.clear();
    this.#bytes = 0;
  }

  #drop(number: number): void {
    const block = this.#blocks.get(number);
    if (!block) return;
    this.#blocks.delete(number);
    this.#bytes -= block.bytes.length;
  }
}
