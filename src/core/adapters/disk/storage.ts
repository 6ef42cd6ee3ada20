import type { Stats } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
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
import { alreadyExists, DiskFile, publish } from '../files/disk-file.ts';
import { diskError, errno, onDisk, WrongType } from '../files/errors.ts';
import { OpenFolder, typeOf } from '../files/open-folder.ts';
import { isObjectName } from '../storage/object-name.ts';
import { probeStorage, unhealthy } from '../storage/probe.ts';
import type { FolderGuard } from './folder-guard.ts';
import { DiskRoot, partialName } from './root.ts';

/** Space that must stay free: a full disk harms other programs too. */
const FREE_MARGIN = 64 << 20;
const PIECE_BYTES = 1 << 20;
const WRITABLE_BY_ALL = 0o002;

/**
 * A folder as storage. An unfinished object is a hidden file next to its final path, with the writing job in its name.
 * Files have mode 0600; those written by root belong to the owner of the folder. Links below the folder are never
 * followed: they are listed, and an error says what they are when they are read.
 */
export class DiskStorage implements Storage {
  readonly kind = 'disk';
  readonly location: string;
  readonly #root: DiskRoot;
  readonly #guard: FolderGuard | undefined;

  /**
   * The folder is created with the first object; its parent must exist. With a guard, a folder that is not the one that
   * held files before is `STORAGE_UNREACHABLE`.
   */
  constructor(folder: string, guard?: FolderGuard) {
    this.#root = new DiskRoot(folder);
    this.#guard = guard;
    this.location = this.#root.path;
  }

  async put(
    name: string,
    content: AsyncIterable<Uint8Array>,
    options: PutOptions = {},
  ): Promise<StoredObject> {
    options.signal?.throwIfAborted();
    await this.#checkFolder();
    const { folder: opened, owner } = await onDisk(`Cannot store ${name}`, () =>
      this.#root.makeFolderOf(name),
    );
    await using folder = opened;
    const target = basename(name);
    await onDisk(`Cannot store ${name}`, () => this.#checkRoom(folder, name, options.expected_bytes));
    const label = `${target} in ${this.location}`;
    const file = await DiskFile.create(folder, partialName(target, options.job), { owner, label });
    try {
      for await (const bytes of untilAbort(content, options.signal)) await file.write(bytes);
      await file.finish();
      options.signal?.throwIfAborted();
      await onDisk(`Cannot store ${name}`, () => publish(folder, file.name, target));
    } catch (error) {
      if (options.keepUnfinished?.()) await file.closeUnfinished();
      else if (!(await file.remove())) options.onLeft?.();
      throw error;
    }
    await this.#guard?.noteFiles();
    return this.#mustStat(name);
  }

  async stat(name: string, options: CallOptions = {}): Promise<StoredObject | undefined> {
    options.signal?.throwIfAborted();
    const stats = await onDisk(`Cannot stat ${name}`, async () => {
      await using folder = await this.#root.folderOf(name);
      return folder && regular(folder, basename(name), await folder.lstat(basename(name)));
    });
    return stats && objectOf(name, stats);
  }

  async read(name: string, offset: number, length: number, options: CallOptions = {}): Promise<Buffer> {
    await using handle = await this.#open(name, options);
    return await onDisk(`Cannot read ${name}`, async () => {
      const { size } = await handle.stat();
      const wanted = Buffer.allocUnsafe(Math.max(0, Math.min(length, size - offset)));
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
    await using handle = await this.#open(name, options);
    yield* this.#readFrom(name, handle, options);
  }

  async *readUnfinished({ id }: UnfinishedObject, options: CallOptions = {}): AsyncGenerator<Buffer> {
    await using handle = await onDisk(`Cannot read ${id}`, async () => {
      await using folder = await this.#root.folderOf(this.#nameOfPartial(id));
      return await folder?.openFile(basename(id));
    });
    if (!handle) throw this.#notFound(id);
    yield* this.#readFrom(id, handle, options);
  }

  async *#readFrom(
    name: string,
    handle: FileHandle,
    options: CallOptions & { offset?: number },
  ): AsyncGenerator<Buffer> {
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
    let empty = true;
    for await (const { path, hidden, stats } of this.#walk(prefix, options)) {
      if (hidden || !path.startsWith(prefix) || !isObjectName(path)) continue;
      const found = await onDisk(`Cannot stat ${path}`, stats);
      if (!found) continue;
      empty = false;
      if (onUnreadable && !found.isFile()) onUnreadable(path, `it is a ${typeOf(found)}`);
      else yield objectOf(path, found);
    }
    await (empty ? this.#checkFolder() : this.#guard?.noteFiles());
  }

  async delete(name: string, options: CallOptions = {}): Promise<boolean> {
    options.signal?.throwIfAborted();
    return this.#unlink(name, basename(name));
  }

  async replace(from: string, to: string, options: CallOptions = {}): Promise<void> {
    await this.#mustStat(from, options);
    await onDisk(`Cannot replace ${to}`, async () => {
      await using source = await this.#root.folderOf(from);
      await using target = await this.#root.folderOf(to);
      if (!source || !target) throw this.#notFound(source ? to : from);
      await source.rename(basename(from), basename(to), target);
      await target.sync();
    });
  }

  async *listUnfinished(options: CallOptions = {}): AsyncGenerator<UnfinishedObject> {
    for await (const { path, hidden, stats } of this.#walk('', options)) {
      const partial = hidden ? this.#root.parsePartial(path) : undefined;
      const found = partial && (await onDisk(`Cannot stat ${path}`, stats));
      if (!partial || !found?.isFile()) continue;
      const { name, job } = partial;
      yield { id: path, name, job, size_bytes: found.size, started_at: timeOf(found.birthtime) };
    }
  }

  async discardUnfinished({ id }: UnfinishedObject, options: CallOptions = {}): Promise<void> {
    options.signal?.throwIfAborted();
    await this.#unlink(this.#nameOfPartial(id), basename(id));
  }

  async probe({ prefix = '', ...options }: CallOptions & { prefix?: string } = {}): Promise<StorageHealth> {
    const tested = await onDisk(`Cannot open ${this.location}`, async () => {
      await this.#guard?.check();
      return this.#root.folderOf(`${prefix}x`);
    }).catch((error: unknown) => unhealthy(error));
    if (tested && 'ok' in tested) return tested;
    await using folder = tested;
    await using root = await this.#root.open().catch(() => undefined);
    if (!root) return this.#canBeMade();
    const health = await probeStorage(this, { ...options, prefix: folder ? prefix : '' });
    try {
      const free_bytes = await (folder ?? root)?.freeBytes();
      const open = ((await root?.stat())?.mode ?? 0) & WRITABLE_BY_ALL;
      const detail = health.ok && open ? `${health.detail}, but every user can write to it` : health.detail;
      return { ...health, detail, ...(free_bytes === undefined ? {} : { free_bytes }) };
    } catch {
      return health;
    }
  }

  async #checkFolder(): Promise<void> {
    await onDisk(`Cannot open ${this.location}`, async () => this.#guard?.check());
  }

  /** Health of a folder that does not exist yet. A probe does not make it: it could hide that one is not mounted. */
  async #canBeMade(): Promise<StorageHealth> {
    try {
      const parent = dirname(this.location);
      const free_bytes = await onDisk(`Cannot make ${this.location}`, async () => {
        await using folder = await OpenFolder.open(parent);
        await folder.mustBeWritable();
        return await folder.freeBytes();
      });
      return { ok: true, detail: 'Does not exist yet; it is created with the first file', free_bytes };
    } catch (error) {
      return unhealthy(error);
    }
  }

  async #checkRoom(folder: OpenFolder, name: string, bytes: number | undefined): Promise<void> {
    if (await folder.lstat(basename(name))) throw alreadyExists(`${this.location}/${name}`);
    if (bytes === undefined) return;
    const free = await folder.freeBytes();
    if (free >= bytes + FREE_MARGIN) return;
    throw new BifractError(
      'STORAGE_FULL',
      `Not enough space in ${this.location}: ${inMib(free)} free, about ${inMib(bytes)} needed for ${basename(name)}`,
      {
        hint: 'Free some space, or delete backups or archives that are no longer needed.',
      },
    );
  }

  #nameOfPartial(id: string): string {
    const partial = this.#root.parsePartial(id);
    if (partial) return partial.name;
    throw new BifractError('INTERNAL', `Not an unfinished file: ${JSON.stringify(id)}`);
  }

  async #mustStat(name: string, options?: CallOptions): Promise<StoredObject> {
    const object = await this.stat(name, options);
    if (!object) throw this.#notFound(name);
    return object;
  }

  /** Opens an object for reading. */
  async #open(name: string, { signal }: CallOptions): Promise<FileHandle> {
    signal?.throwIfAborted();
    return onDisk(`Cannot read ${name}`, async () => {
      await using folder = await this.#root.folderOf(name);
      if (!folder) throw this.#notFound(name);
      try {
        return await folder.openFile(basename(name));
      } catch (error) {
        // Like a missing file, a folder is no object.
        const isFolder = error instanceof WrongType && error.found === 'folder';
        throw isFolder || errno(error) === 'ENOENT' ? this.#notFound(name) : error;
      }
    });
  }

  #notFound(name: string): BifractError {
    return new BifractError('NOT_FOUND', `${name} does not exist in ${this.location}`, {
      hint: 'Run `bifract list backups` or `bifract list archives` to see all files.',
    });
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

  /** Removes a regular file in the folder of `name`; false if there is none. */
  async #unlink(name: string, file: string): Promise<boolean> {
    return onDisk(`Cannot delete ${file} in ${this.location}`, async () => {
      await using folder = await this.#root.folderOf(name);
      if (!folder || !regular(folder, file, await folder.lstat(file))) return false;
      if (!(await folder.unlink(file))) return false;
      await folder.sync();
      await this.#guard?.noteDeletion();
      return true;
    });
  }
}

/** Undefined for a folder: it is no object. Throws `WrongType` for a link or a device. */
function regular(folder: OpenFolder, name: string, found: Stats | undefined): Stats | undefined {
  if (!found || found.isDirectory()) return undefined;
  if (found.isFile()) return found;
  throw new WrongType(folder.pathOf(name), typeOf(found));
}

/** What is no regular file has no size. */
function objectOf(name: string, stats: Stats): StoredObject {
  return {
    name,
    size_bytes: stats.isFile() ? stats.size : 0,
    modified_at: timeOf(stats.mtime),
  };
}

/** A file system may have times that a `Date` has not. */
function timeOf(date: Date): string {
  return (Number.isNaN(date.getTime()) ? new Date(0) : date).toISOString();
}

function inMib(bytes: number): string {
  return `${Math.ceil(bytes / (1 << 20))} MiB`;
}
