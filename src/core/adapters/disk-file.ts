import { constants } from 'node:fs';
import fs, { type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { BifractError } from '../errors.ts';
import { errno, onDisk } from './disk-errors.ts';

/** Bytes gathered before a write: large enough that the system call costs nothing. */
const BUFFER = 1 << 19;
/** Bytes after which the disk is told to begin: else all of a file waits for its end, while the processor has nothing to do. */
const SYNC_BYTES = 16 << 20;

/** An owner of files. */
export interface Owner {
  uid: number;
  gid: number;
}

/**
 * A file in the making: bytes are gathered, written in large pieces, and durable once `finish` returns.
 *
 * One piece is written while the next one fills. What fails behind a call's back is thrown by the next one, and by all
 * after it: the system tells of a failed sync only once.
 */
export class DiskFile {
  readonly path: string;
  readonly #handle: FileHandle;
  readonly #label: string;
  #buffer: Buffer = Buffer.allocUnsafe(BUFFER);
  #spare: Buffer | undefined;
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

  /** Creates the file, which must not exist, for its owner alone. `label` is what people know it by. */
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

  /** Takes all of the bytes: they are the caller's again once this returns. */
  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      const part = bytes.subarray(at, at + BUFFER - this.#filled);
      this.#buffer.set(part, this.#filled);
      this.#filled += part.length;
      at += part.length;
      if (this.#filled === BUFFER) await this.#flush();
    }
  }

  /** Writes what is left, makes it durable, and closes. */
  async finish(): Promise<void> {
    await this.#flush();
    await this.#writing;
    await this.#synced;
    await this.#sync(() => this.#handle.sync());
    await onDisk(`Cannot close ${this.#label}`, () => this.#handle.close());
  }

  /** Closes the file and lets it lie, with as much of it as can be written. */
  async leave(): Promise<void> {
    await this.#flush()
      .then(() => this.#writing)
      .then(() => this.#handle.sync())
      .catch(() => undefined);
    await this.#close();
  }

  /** Closes and removes the file, whatever state it is in. */
  async remove(): Promise<void> {
    await this.#close();
    await fs.unlink(this.path).catch(() => undefined);
  }

  async #close(): Promise<void> {
    await Promise.allSettled([this.#writing, this.#synced]);
    await this.#handle.close().catch(() => undefined);
  }

  /** Begins to write what is gathered, once the piece before it is written. */
  async #flush(): Promise<void> {
    await this.#writing;
    if (this.#syncing === undefined) await this.#synced;
    const full = this.#buffer.subarray(0, this.#filled);
    [this.#buffer, this.#spare] = [this.#spare ?? Buffer.allocUnsafe(BUFFER), this.#buffer];
    this.#filled = 0;
    this.#writing = this.#writeOut(full).then(() => this.#syncLater(full.length));
    this.#writing.catch(() => {});
  }

  /** Has the disk begin with what is written, unless it is still at what was written before. */
  #syncLater(written: number): void {
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
    return onDisk(`Cannot make ${this.#label} durable`, work);
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
 * Gives a finished file its final name, which nothing has: an existing file is never replaced (`EXISTS`).
 * The folder is durable afterwards.
 */
export async function publish(path: string, target: string): Promise<void> {
  try {
    await fs.link(path, target);
  } catch (error) {
    const code = errno(error);
    if (code === 'EEXIST') await mustBeOurs(path, target);
    else if (code !== undefined && NO_LINKS.has(code)) return publishWithoutLinks(path, target);
    else throw error;
  }
  await settle(path, target);
}

/** A name that may not outlast a power cut is taken back: all or nothing. */
async function settle(path: string, target: string): Promise<void> {
  try {
    await fs.unlink(path);
    await syncFolder(dirname(target));
  } catch (error) {
    await fs.unlink(target);
    throw error;
  }
}

/** What file systems without hard links say: FAT, some network and overlay ones. */
const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EXDEV']);

/** A network file system may have made the link although its answer was lost: then both are one file. */
async function mustBeOurs(path: string, target: string): Promise<void> {
  const [ours, theirs] = await Promise.all([fs.stat(path), fs.lstat(target)]);
  if (ours.ino !== theirs.ino || ours.dev !== theirs.dev) throw exists(target);
}

/** Reserves the name with an empty file, then replaces that: only a kill between the two leaves it empty. */
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

/** Makes the entries of a folder durable, where the file system knows how. */
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

/** The refusal to replace a file. */
export function exists(path: string): BifractError {
  return new BifractError('EXISTS', `${path} is there already, and is never replaced`, {
    hint: 'Remove it, or choose another name.',
  });
}
