import { randomUUID } from 'node:crypto';
import { untilAbort } from '../../src/core/adapters/abort.ts';
import { checkObjectName, compareNames } from '../../src/core/adapters/storage/object-name.ts';
import { probeStorage } from '../../src/core/adapters/storage/probe.ts';
import { BifractError } from '../../src/core/contract/errors.ts';
import type {
  PutOptions,
  Storage,
  StorageHealth,
  StoredObject,
  UnfinishedObject,
} from '../../src/core/ports/storage.ts';
import type { CallOptions } from '../../src/core/ports/types.ts';

interface Entry {
  bytes: Buffer;
  modified_at: string;
}

let created = 0;

/** A storage in the memory of this process that poses as a folder or a bucket. Each has a location of its own. */
export class MemoryStorage implements Storage {
  readonly kind: Storage['kind'];
  readonly location: string;
  readonly #objects = new Map<string, Entry>();
  readonly #unfinished = new Map<string, UnfinishedObject>();

  constructor(kind: Storage['kind'] = 'disk') {
    this.kind = kind;
    this.location = `memory-${++created}`;
  }

  async put(
    name: string,
    content: AsyncIterable<Uint8Array>,
    options: PutOptions = {},
  ): Promise<StoredObject> {
    this.#check(name, options);
    this.#mustBeFree(name);
    const id = randomUUID();
    const unfinished = { id, name, job: options.job, size_bytes: 0, started_at: new Date().toISOString() };
    this.#unfinished.set(id, unfinished);
    try {
      const parts: Buffer[] = [];
      for await (const part of untilAbort(content, options.signal)) {
        parts.push(Buffer.from(part));
        unfinished.size_bytes += part.length;
      }
      options.signal?.throwIfAborted();
      this.#mustBeFree(name);
      this.#objects.set(name, { bytes: Buffer.concat(parts), modified_at: new Date().toISOString() });
    } finally {
      this.#unfinished.delete(id);
    }
    return this.#describe(name, this.#entry(name));
  }

  async stat(name: string, options: CallOptions = {}): Promise<StoredObject | undefined> {
    this.#check(name, options);
    const entry = this.#objects.get(name);
    return entry && this.#describe(name, entry);
  }

  async read(name: string, offset: number, length: number, options: CallOptions = {}): Promise<Buffer> {
    this.#check(name, options);
    return Buffer.from(this.#entry(name).bytes.subarray(offset, offset + length));
  }

  async *stream(name: string, options: CallOptions & { offset?: number } = {}): AsyncGenerator<Buffer> {
    this.#check(name, options);
    const { bytes } = this.#entry(name);
    for (let at = options.offset ?? 0; at < bytes.length; at += 65_536) {
      options.signal?.throwIfAborted();
      yield Buffer.from(bytes.subarray(at, at + 65_536));
    }
  }

  async *list(prefix: string, options: CallOptions = {}): AsyncGenerator<StoredObject> {
    for (const name of [...this.#objects.keys()].sort(compareNames)) {
      options.signal?.throwIfAborted();
      const entry = this.#objects.get(name);
      if (entry && name.startsWith(prefix)) yield this.#describe(name, entry);
    }
  }

  async delete(name: string, options: CallOptions = {}): Promise<boolean> {
    this.#check(name, options);
    return this.#objects.delete(name);
  }

  async *listUnfinished(options: CallOptions = {}): AsyncGenerator<UnfinishedObject> {
    options.signal?.throwIfAborted();
    for (const unfinished of [...this.#unfinished.values()]) yield { ...unfinished };
  }

  async discardUnfinished({ id }: UnfinishedObject, options: CallOptions = {}): Promise<void> {
    options.signal?.throwIfAborted();
    this.#unfinished.delete(id);
  }

  probe(options?: CallOptions & { prefix?: string }): Promise<StorageHealth> {
    return probeStorage(this, options);
  }

  #check(name: string, { signal }: CallOptions): void {
    signal?.throwIfAborted();
    checkObjectName(name);
  }

  #entry(name: string): Entry {
    const entry = this.#objects.get(name);
    if (!entry) throw new BifractError('NOT_FOUND', `${name} does not exist in ${this.location}`);
    return entry;
  }

  #mustBeFree(name: string): void {
    if (this.#objects.has(name))
      throw new BifractError('EXISTS', `${name} already exists in ${this.location}`);
  }

  #describe(name: string, { bytes, modified_at }: Entry): StoredObject {
    return { name, size_bytes: bytes.length, modified_at };
  }
}
