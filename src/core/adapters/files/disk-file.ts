import type { FileHandle } from 'node:fs/promises';
import { BifractError } from '../../contract/errors.ts';
import { errno, onDisk } from './errors.ts';
import type { OpenFolder, Owner } from './open-folder.ts';

/** Bytes buffered before a write: large enough that the cost of the system call does not matter. */
const BUFFER_BYTES = 1 << 19;
/** Bytes after which data is synced: otherwise all disk writes happen at the end, while the CPU is idle. */
const SYNC_BYTES = 16 << 20;

/**
 * A file being written: bytes are buffered, written in large pieces, and durable once `finish` returns.
 *
 * One piece is written while the next one fills. A background failure is thrown by the next call and all later ones: the
 * system reports a failed sync only once.
 */
export class DiskFile {
  readonly name: string;
  readonly #folder: OpenFolder;
  readonly #handle: FileHandle;
  readonly #label: string;
  #buffer: Buffer = Buffer.allocUnsafe(BUFFER_BYTES);
  #unusedBuffer: Buffer | undefined;
  #filled = 0;
  #writing: Promise<void> = Promise.resolve();
  #syncing: Promise<void> | undefined;
  #synced: Promise<void> = Promise.resolve();
  #unsynced = 0;

  private constructor(folder: OpenFolder, name: string, handle: FileHandle, label: string) {
    this.name = name;
    this.#folder = folder;
    this.#handle = handle;
    this.#label = label;
  }

  /**
   * Creates the file, which must not exist. The folder must stay open until `finish`, `closeUnfinished` or `remove`.
   * `mode` is 0600 by default, `label` names the file in messages.
   */
  static async create(
    folder: OpenFolder,
    name: string,
    { label = folder.pathOf(name), ...options }: { owner?: Owner; mode?: number; label?: string } = {},
  ): Promise<DiskFile> {
    const handle = await onDisk('Cannot create a file', () => folder.create(name, options));
    return new DiskFile(folder, name, handle, label);
  }

  /** Writes all bytes. The caller may reuse the array once this returns. */
  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      const part = bytes.subarray(at, at + BUFFER_BYTES - this.#filled);
      this.#buffer.set(part, this.#filled);
      this.#filled += part.length;
      at += part.length;
      if (this.#filled === BUFFER_BYTES) await this.#flush();
    }
  }

  /** Writes the rest, syncs and closes. */
  async finish(): Promise<void> {
    await this.#flush();
    await this.#writing;
    await this.#synced;
    await this.#sync(() => this.#handle.sync());
    await onDisk(`Cannot close ${this.#label}`, () => this.#handle.close());
  }

  /** Writes as much as possible and closes the file without removing it. */
  async closeUnfinished(): Promise<void> {
    await this.#flush()
      .then(() => this.#writing)
      .then(() => this.#handle.sync())
      .catch(() => undefined);
    await this.#close();
  }

  /** Closes and removes the file in any state; false if it cannot be removed. */
  async remove(): Promise<boolean> {
    await this.#close();
    return this.#folder.unlink(this.name).then(
      () => true,
      () => false,
    );
  }

  async #close(): Promise<void> {
    await Promise.allSettled([this.#writing, this.#synced]);
    await this.#handle.close().catch(() => undefined);
  }

  /** Starts to write the buffer, once the previous one is written. */
  async #flush(): Promise<void> {
    await this.#writing;
    if (this.#syncing === undefined) await this.#synced;
    const full = this.#buffer.subarray(0, this.#filled);
    [this.#buffer, this.#unusedBuffer] = [
      this.#unusedBuffer ?? Buffer.allocUnsafe(BUFFER_BYTES),
      this.#buffer,
    ];
    this.#filled = 0;
    this.#writing = this.#writeOut(full).then(() => this.#syncInBackground(full.length));
    this.#writing.catch(() => {});
  }

  /** Syncs in the background, unless a sync is still running. */
  #syncInBackground(written: number): void {
    this.#unsynced += written;
    if (this.#unsynced < SYNC_BYTES || this.#syncing) return;
    this.#unsynced = 0;
    this.#syncing = this.#sync(() => this.#handle.datasync()).finally(() => {
      this.#syncing = undefined;
    });
    this.#synced = this.#syncing;
    this.#synced.catch(() => {});
  }

  #sync(work: () => Promise<void>): Promise<void> {
    return onDisk(`Cannot sync ${this.#label}`, work);
  }

  async #writeOut(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      const { bytesWritten } = await onDisk(`Cannot write ${this.#label}`, () =>
        this.#handle.write(bytes, at, bytes.length - at),
      );
      at += bytesWritten;
    }
  }
}

/**
 * Gives a finished file its final name and syncs the folder. An existing file is never replaced (`EXISTS`).
 */
export async function publish(folder: OpenFolder, name: string, target: string): Promise<void> {
  try {
    await folder.link(name, target);
  } catch (error) {
    const code = errno(error);
    if (code === 'EEXIST') await requireSameFile(folder, name, target);
    else if (code !== undefined && NO_LINKS.has(code)) return publishWithoutLinks(folder, name, target);
    else throw error;
  }
  await finishPublish(folder, name, target);
}

/** Removes the new name again if it may not survive a power failure. */
async function finishPublish(folder: OpenFolder, name: string, target: string): Promise<void> {
  try {
    await folder.unlink(name);
    await folder.sync();
  } catch (error) {
    await folder.unlink(target);
    throw error;
  }
}

/** Errors of file systems without hard links: FAT, some network and overlay file systems. */
const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EXDEV']);

/** A network file system may have created the link although its reply was lost: then both are the same file. */
async function requireSameFile(folder: OpenFolder, name: string, target: string): Promise<void> {
  const [own, other] = await Promise.all([folder.lstat(name), folder.lstat(target)]);
  if (!own || own.ino !== other?.ino || own.dev !== other.dev) throw alreadyExists(folder.pathOf(target));
}

/** Reserves the name with an empty file, then replaces it. A kill in between leaves the empty file. */
async function publishWithoutLinks(folder: OpenFolder, name: string, target: string): Promise<void> {
  await (await folder.create(target)).close();
  try {
    await folder.rename(name, target);
  } catch (error) {
    await folder.unlink(target);
    throw error;
  }
  await folder.sync();
}

export function alreadyExists(path: string): BifractError {
  return new BifractError('EXISTS', `${path} already exists`, {
    hint: 'Remove it, or choose another name.',
  });
}
