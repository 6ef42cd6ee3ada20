import fs from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { BifractError } from '../../contract/errors.ts';
import type {
  ListOptions,
  PutOptions,
  Storage,
  StorageHealth,
  StoredObject,
  UnfinishedObject,
} from '../../ports/storage.ts';
import type { CallOptions } from '../../ports/types.ts';
import { untilAbort } from '../abort.ts';
import { isObjectName } from '../storage/object-name.ts';
import { probeStorage } from '../storage/probe.ts';
import { diskError, errno, onDisk } from './errors.ts';
import { alreadyExists, DiskFile, publish, syncFolder } from './file.ts';
import { DiskRoot } from './root.ts';

/** Space that must stay free: a full disk harms other programs too. */
const FREE_MARGIN = 64 << 20;
const PIECE_BYTES = 1 << 20;

/**
 * A folder as storage. An unfinished object is a hidden file next to its final path, with the writing job in its name.
 * Files have mode 0600; those written by root belong to the owner of the folder.
 */
export class DiskStorage implements Storage {
  readonly kind = 'disk';
  readonly location: string;
  readonly #root: DiskRoot;

  /** The folder is created with the first object; its parent must exist. */
  constructor(folder: string) {
    this.#root = new DiskRoot(folder);
    this.location = this.#root.path;
  }

  async put(
    name: string,
    content: AsyncIterable<Uint8Array>,
    options: PutOptions = {},
  ): Promise<StoredObject> {
    options.signal?.throwIfAborted();
    const target = this.#root.target(name);
    const file = await this.#create(name, target, options);
    try {
      for await (const bytes of untilAbort(content, options.signal)) await file.write(bytes);
      await file.finish();
      options.signal?.throwIfAborted();
      await onDisk(`Cannot store ${name}`, () => publish(file.path, target));
    } catch (error) {
      await (options.keepUnfinished?.() ? file.closeUnfinished() : file.remove());
      throw error;
    }
    return this.#mustStat(name);
  }

  async stat(name: string, options: CallOptions = {}): Promise<StoredObject | undefined> {
    options.signal?.throwIfAborted();
    const target = this.#root.target(name);
    const stats = await onDisk(`Cannot stat ${name}`, () => this.#root.stat(target));
    return stats && { name, size_bytes: stats.size, modified_at: stats.mtime.toISOString() };
  }

  async read(name: string, offset: number, length: number, options: CallOptions = {}): Promise<Buffer> {
    const { size_bytes } = await this.#mustStat(name, options);
    const wanted = Buffer.allocUnsafe(Math.max(0, Math.min(length, size_bytes - offset)));
    return onDisk(`Cannot read ${name}`, async () => {
      await using handle = await fs.open(this.#root.target(name), 'r');
      let filled = 0;
      while (filled < wanted.length) {
        options.signal?.throwIfAborted();
        const { bytesRead } = await handle.read(wanted, filled, wanted.length - filled, offset + filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return wanted.subarray(0, filled);
    });
  }

  async *stream(name: string, options: CallOptions & { offset?: number } = {}): AsyncGenerator<Buffer> {
    await this.#mustStat(name, options);
    yield* this.#readFrom(name, this.#root.target(name), options);
  }

  async *readUnfinished({ id }: UnfinishedObject, options: CallOptions = {}): AsyncGenerator<Buffer> {
    yield* this.#readFrom(id, this.#partial(id), options);
  }

  async *#readFrom(
    name: string,
    path: string,
    options: CallOptions & { offset?: number },
  ): AsyncGenerator<Buffer> {
    await using handle = await onDisk(`Cannot read ${name}`, () => fs.open(path, 'r'));
    for (let at = options.offset ?? 0; ; ) {
      options.signal?.throwIfAborted();
      const piece = Buffer.allocUnsafe(PIECE_BYTES);
      const { bytesRead } = await onDisk(`Cannot read ${name}`, () => handle.read(piece, 0, PIECE_BYTES, at));
      if (bytesRead === 0) return;
      at += bytesRead;
      yield piece.subarray(0, bytesRead);
    }
  }

  async *list(prefix: string, { onUnreadable, ...options }: ListOptions = {}): AsyncGenerator<StoredObject> {
    for await (const { path, hidden, unreadable } of this.#walk(prefix, options)) {
      if (unreadable !== undefined) onUnreadable?.(path, unreadable);
      if (hidden || unreadable !== undefined || !path.startsWith(prefix) || !isObjectName(path)) continue;
      const object = await this.#statListed(path, onUnreadable);
      if (object) yield object;
    }
  }

  async delete(name: string, options: CallOptions = {}): Promise<boolean> {
    if (!(await this.stat(name, options))) return false;
    return this.#unlink(this.#root.target(name));
  }

  async replace(from: string, to: string, options: CallOptions = {}): Promise<void> {
    await this.#mustStat(from, options);
    const target = this.#root.target(to);
    await onDisk(`Cannot replace ${to}`, async () => {
      await fs.rename(this.#root.target(from), target);
      await syncFolder(dirname(target));
    });
  }

  async *listUnfinished(options: CallOptions = {}): AsyncGenerator<UnfinishedObject> {
    for await (const { path, hidden } of this.#walk('', options)) {
      const partial = hidden ? this.#root.parsePartial(path) : undefined;
      // A link to itself is no unfinished file.
      const stats = partial && (await this.#root.stat(join(this.location, path)).catch(() => undefined));
      if (!partial || !stats) continue;
      const { name, job } = partial;
      yield { id: path, name, job, size_bytes: stats.size, started_at: stats.birthtime.toISOString() };
    }
  }

  async discardUnfinished({ id }: UnfinishedObject, options: CallOptions = {}): Promise<void> {
    options.signal?.throwIfAborted();
    const path = this.#partial(id);
    if (await onDisk(`Cannot stat ${id}`, () => this.#root.stat(path))) await this.#unlink(path);
  }

  async probe({ prefix = '', ...options }: CallOptions & { prefix?: string } = {}): Promise<StorageHealth> {
    const folder = join(this.location, prefix);
    const exists = await fs.stat(folder).then(
      (stats) => stats.isDirectory(),
      () => false,
    );
    const health = await probeStorage(this, { ...options, prefix: exists ? prefix : '' });
    try {
      return { ...health, free_bytes: await this.#root.freeBytes(exists ? folder : undefined) };
    } catch {
      return health;
    }
  }

  async #create(name: string, target: string, { job, expected_bytes }: PutOptions): Promise<DiskFile> {
    const partial = this.#root.partial(name, job);
    return onDisk(`Cannot store ${name}`, async () => {
      const owner = await this.#root.owner();
      await this.#root.makeFolders(target, owner);
      if (await this.#root.stat(target)) throw alreadyExists(target);
      if (expected_bytes !== undefined) await this.#requireSpace(name, target, expected_bytes);
      return DiskFile.create(partial, owner, `${basename(name)} in ${this.location}`);
    });
  }

  async #requireSpace(name: string, target: string, bytes: number): Promise<void> {
    const free = await this.#root.freeBytes(dirname(target));
    if (free >= bytes + FREE_MARGIN) return;
    throw new BifractError(
      'STORAGE_FULL',
      `Not enough space in ${this.location}: ${inMib(free)} free, about ${inMib(bytes)} needed for ${basename(name)}`,
      {
        hint: 'Free some space, or delete backups or archives that are no longer needed.',
      },
    );
  }

  #partial(id: string): string {
    if (this.#root.parsePartial(id)) return join(this.location, id);
    throw new BifractError('INTERNAL', `Not an unfinished file: ${JSON.stringify(id)}`);
  }

  async #mustStat(name: string, options?: CallOptions): Promise<StoredObject> {
    const object = await this.stat(name, options);
    if (!object)
      throw new BifractError('NOT_FOUND', `${name} does not exist in ${this.location}`, {
        hint: 'Run `bifract list backups` or `bifract list archives` to see all files.',
      });
    return object;
  }

  /** Undefined for a link that points outside the storage or to itself, or a file deleted in the meantime. */
  async #statListed(
    name: string,
    onUnreadable: ListOptions['onUnreadable'],
  ): Promise<StoredObject | undefined> {
    try {
      return await this.stat(name);
    } catch (error) {
      if (!(error instanceof BifractError) || error.code === 'STORAGE_UNREACHABLE') throw error;
      if (error.cause !== undefined) onUnreadable?.(name, error.message);
      return undefined;
    }
  }

  async *#walk(prefix: string, { signal }: CallOptions) {
    try {
      for await (const file of this.#root.files(prefix)) {
        signal?.throwIfAborted();
        yield file;
      }
    } catch (error) {
      throw diskError(`Cannot list ${this.location}`, error);
    }
  }

  async #unlink(path: string): Promise<boolean> {
    return onDisk(`Cannot delete ${path}`, async () => {
      try {
        await fs.unlink(path);
        await syncFolder(dirname(path));
        return true;
      } catch (error) {
        if (errno(error) === 'ENOENT') return false;
        throw error;
      }
    });
  }
}

function inMib(bytes: number): string {
  return `${Math.ceil(bytes / (1 << 20))} MiB`;
}
