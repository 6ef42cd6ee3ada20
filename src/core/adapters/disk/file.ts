import { constants } from 'node:fs';
import fs, { type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { BifractError } from '../../contract/errors.ts';
import { errno, onDisk } from './errors.ts';

/** Bytes buffered before a write: large enough that the cost of the system call does not matter. */
const BUFFER_BYTES = 1 << 19;
/** Bytes after which data is synced: otherwise all disk writes happen at the end, while the CPU is idle. */
const SYNC_BYTES = 16 << 20;

/** An owner of files. */
export interface Owner {
  uid: number;
  gid: number;
}

/**
 * A file being written: bytes are buffered, written in large pieces, and durable once `finish` returns.
 *
 * One piece is written while the next one fills. A background failure is thrown by the next call and all later ones: the
 * system reports a failed sync only once.
 */
export class DiskFile {
  readonly path: string;
  readonly #handle: FileHandle;
  readonly #label: string;
  #buffer: Buffer = Buffer.allocUnsafe(BUFFER_BYTES);
  #unusedBuffer: Buffer | undefined;
  #filled = 0;
  #writing: Promise<void> = Promise.resolve();
  #syncing: Promise<void> | undefined;
  #synced: Promise<void> = Promise.resolve();
  #unsynced = 0;

  private constructor(path: string, handle: FileHandle, label: string) {
    this.path = path;
    this.#label = label;
    this.#handle = handle;
  }

  /** Creates the file, which must not exist, with mode 0600. `label` names it in messages. */
  static async create(path: string, owner: Owner | undefined, label = path): Promise<DiskFile> {
    return onDisk('Cannot create a file', async () => {
      const handle = await fs.open(path, 'wx', 0o600);
      try {
        if (owner) await handle.chown(owner.uid, owner.gid);
        return new DiskFile(path, handle, label);
      } catch (error) {
        await handle.close();
        await fs.unlink(path);
        throw error;
      }
    });
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

  /** Closes and removes the file in any state. */
  async remove(): Promise<void> {
    await this.#close();
    await fs.unlink(this.path).catch(() => undefined);
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
export async function publish(path: string, target: string): Promise<void> {
  try {
    await fs.link(path, target);
  } catch (error) {
    const code = errno(error);
    if (code === 'EEXIST') await requireSameFile(path, target);
    else if (code !== undefined && NO_LINKS.has(code)) return publishWithoutLinks(path, target);
    else throw error;
  }
  await finishPublish(path, target);
}

/** Removes the new name again if it may not survive a power failure. */
async function finishPublish(path: string, target: string): Promise<void> {
  try {
    await fs.unlink(path);
    await syncFolder(dirname(target));
  } catch (error) {
    await fs.unlink(target);
    throw error;
  }
}

/** Errors of file systems without hard links: FAT, some network and overlay file systems. */
const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EXDEV']);

/** A network file system may have created the link although its reply was lost: then both are the same file. */
async function requireSameFile(path: string, target: string): Promise<void> {
  const [own, other] = await Promise.all([fs.stat(path), fs.lstat(target)]);
  if (own.ino !== other.ino || own.dev !== other.dev) throw alreadyExists(target);
}

/** Reserves the name with an empty file, then replaces it. A kill in between leaves the empty file. */
async function publishWithoutLinks(path: string, target: string): Promise<void> {
  await (await fs.open(target, 'wx', 0o600)).close();
  try {
    await fs.rename(path, target);
  } catch (error) {
    await fs.unlink(target);
    throw error;
  }
  await syncFolder(dirname(target));
}

/** Syncs the entries of a folder, if the file system supports that. */
export async function syncFolder(path: string): Promise<void> {
  const handle = await fs.open(path, constants.O_RDONLY);
  try {
    await handle.sync();
  } catch (error) {
    if (!['EINVAL', 'ENOTSUP', 'EOPNOTSUPP'].includes(errno(error) ?? '')) throw error;
  } finally {
    await handle.close();
  }
}

export function alreadyExists(path: string): BifractError {
  return new BifractError('EXISTS', `${path} already exists`, {
    hint: 'Remove it, or choose another name.',
  });
}
