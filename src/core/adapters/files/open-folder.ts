import { constants, type Dirent, existsSync, type Stats } from 'node:fs';
import fs, { type FileHandle } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { errno, WrongType } from './errors.ts';

const { O_APPEND, O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_RDWR, O_WRONLY } =
  constants;
const FOLDER = O_RDONLY | O_DIRECTORY | O_NONBLOCK;
/** Never waits for the other end of a FIFO. */
const FILE = O_NOFOLLOW | O_NONBLOCK;
const DESCRIPTORS = '/proc/self/fd';
const hasDescriptorPaths = process.platform === 'linux' && existsSync(DESCRIPTORS);

/** An owner of files. */
export interface Owner {
  uid: number;
  gid: number;
}

export interface OpenOptions {
  /** Refuses a file with more than one name: one of them may be in a place that must not be changed or shown. */
  sole?: boolean;
}

/**
 * A folder that is held open. Everything in it is reached through its handle and by a plain name, so that no one who
 * may change the folders above it can lead the program elsewhere by swapping one for a link. Links in it are never
 * followed, and FIFOs, sockets and devices never opened (`WrongType`).
 *
 * Node has no `openat`; the paths of open descriptors in /proc do the same. A system without them, such as macOS, gets
 * the same checks, but by path: there, a swap between check and use is not noticed.
 *
 * Errors are system errors that name the path a user knows.
 */
export class OpenFolder implements AsyncDisposable {
  readonly path: string;
  readonly #handle: FileHandle;
  readonly #base: string;
  #closed = false;

  private constructor(path: string, handle: FileHandle) {
    this.path = path;
    this.#handle = handle;
    this.#base = hasDescriptorPaths ? `${DESCRIPTORS}/${handle.fd}` : path;
  }

  /** Opens a folder that the user or the settings name. Links on the way to it are followed, once. */
  static async open(path: string): Promise<OpenFolder> {
    const absolute = resolve(path);
    return new OpenFolder(absolute, await fs.open(absolute, FOLDER));
  }

  /** The same, and creates it with mode 0700 if it is missing; its parent must exist. */
  static async make(path: string): Promise<OpenFolder> {
    try {
      return await OpenFolder.open(path);
    } catch (error) {
      if (errno(error) !== 'ENOENT') throw error;
    }
    const absolute = resolve(path);
    await using parent = await OpenFolder.open(dirname(absolute));
    return await parent.makeChild(basename(absolute));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#handle.close();
  }

  /** Path of an entry for a system call while the folder is open. The last part may be a link. */
  at(name: string): string {
    if (this.#closed) throw new Error(`${this.path} is closed`);
    if (name === '' || name === '.' || name === '..' || /[/\0]/.test(name)) {
      throw new Error(`Not a plain name: ${JSON.stringify(name)}`);
    }
    return `${this.#base}/${name}`;
  }

  /** Path of an entry for messages. */
  pathOf(name: string): string {
    return this.path.endsWith('/') ? `${this.path}${name}` : `${this.path}/${name}`;
  }

  child(name: string): Promise<OpenFolder> {
    return this.#named(async () => {
      try {
        return new OpenFolder(this.pathOf(name), await fs.open(this.at(name), FOLDER | O_NOFOLLOW));
      } catch (error) {
        const notFolder = ['ENOTDIR', 'ELOOP'].includes(errno(error) ?? '');
        const found = notFolder ? await this.lstat(name) : undefined;
        if (found?.isSymbolicLink()) throw new WrongType(this.pathOf(name), typeOf(found));
        throw error;
      }
    });
  }

  /** Opens a folder, or creates it durably with mode 0700. `owner` gets a new one. */
  async makeChild(name: string, owner?: Owner): Promise<OpenFolder> {
    const isNew = await this.mkdir(name);
    const child = await this.child(name);
    try {
      if (isNew && owner) await this.#named(() => chown(child.#handle, owner));
      return child;
    } catch (error) {
      await child[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Creates a folder durably with mode 0700; false if something has this name. */
  mkdir(name: string): Promise<boolean> {
    return this.#named(async () => {
      try {
        await fs.mkdir(this.at(name), 0o700);
      } catch (error) {
        if (errno(error) === 'EEXIST') return false;
        throw error;
      }
      await this.sync();
      return true;
    });
  }

  /** Creates a folder with mode 0700 and a random name that begins with `prefix`. */
  async makeTemporary(prefix: string): Promise<OpenFolder> {
    const made = await this.#named(() => fs.mkdtemp(this.at(prefix)));
    return this.child(basename(made));
  }

  /** Undefined if there is no such entry. */
  lstat(name: string): Promise<Stats | undefined> {
    return this.#named(async () => {
      try {
        return await fs.lstat(this.at(name));
      } catch (error) {
        if (errno(error) === 'ENOENT') return undefined;
        throw error;
      }
    });
  }

  stat(): Promise<Stats> {
    return this.#named(() => this.#handle.stat());
  }

  /** Throws unless entries can be made in it. */
  mustBeWritable(): Promise<void> {
    return this.#named(() => fs.access(this.#base, constants.W_OK | constants.X_OK));
  }

  entries(): Promise<Dirent[]> {
    return this.#named(() => fs.readdir(this.#base, { withFileTypes: true }));
  }

  /** Opens a file for reading. */
  openFile(name: string, options: OpenOptions = {}): Promise<FileHandle> {
    return this.#openRegular(name, O_RDONLY, options);
  }

  /** The first `max_bytes` of a file; undefined if it does not exist. */
  async read(name: string, max_bytes: number, options: OpenOptions = {}): Promise<Buffer | undefined> {
    try {
      await using file = await this.openFile(name, options);
      return await this.#named(() => readStart(file, max_bytes));
    } catch (error) {
      if (errno(error) === 'ENOENT') return undefined;
      throw error;
    }
  }

  /** Opens a file with one name for reading and appending; creates it with mode 0600. */
  openLog(name: string): Promise<FileHandle> {
    return this.#openRegular(name, O_RDWR | O_APPEND | O_CREAT, { sole: true });
  }

  /** Opens an existing file with one name for appending. */
  openAppend(name: string): Promise<FileHandle> {
    return this.#openRegular(name, O_WRONLY | O_APPEND, { sole: true });
  }

  /** Creates a file with mode 0600 and opens it for writing. Nothing may have this name (`EEXIST`). */
  create(name: string, { owner, mode }: { owner?: Owner; mode?: number } = {}): Promise<FileHandle> {
    return this.#named(async () => {
      const handle = await fs.open(this.at(name), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
      try {
        if (owner) await chown(handle, owner);
        if (mode !== undefined) await handle.chmod(mode);
        return handle;
      } catch (error) {
        await handle.close();
        await fs.unlink(this.at(name));
        throw error;
      }
    });
  }

  /** Gives an entry a second name; nothing may have it (`EEXIST`). */
  link(from: string, to: string): Promise<void> {
    return this.#named(() => fs.link(this.at(from), this.at(to)));
  }

  /** Renames an entry, and replaces what has the new name, in this folder or another. */
  rename(from: string, to: string, folder: OpenFolder = this): Promise<void> {
    return this.#named(() => folder.#named(() => fs.rename(this.at(from), folder.at(to))));
  }

  /** False if there is no such entry. Removes a link, not what it leads to. */
  unlink(name: string): Promise<boolean> {
    return this.#named(async () => {
      try {
        await fs.unlink(this.at(name));
        return true;
      } catch (error) {
        if (errno(error) === 'ENOENT') return false;
        throw error;
      }
    });
  }

  /** Removes an empty folder. */
  rmdir(name: string): Promise<void> {
    return this.#named(() => fs.rmdir(this.at(name)));
  }

  /** Syncs the entries, if the file system supports that. */
  sync(): Promise<void> {
    return this.#named(async () => {
      try {
        await this.#handle.sync();
      } catch (error) {
        if (!['EINVAL', 'ENOTSUP', 'EOPNOTSUPP'].includes(errno(error) ?? '')) throw error;
      }
    });
  }

  /** Free bytes of the file system, for users other than root. */
  freeBytes(): Promise<number> {
    return this.#named(async () => {
      const { bavail, bsize } = await fs.statfs(this.#base);
      return bavail * bsize;
    });
  }

  /** Looks before it opens: opening a device can change its state. */
  async #openRegular(name: string, flags: number, { sole = false }: OpenOptions): Promise<FileHandle> {
    const check = (found: Stats) => {
      if (!found.isFile()) throw new WrongType(this.pathOf(name), typeOf(found));
      if (sole && found.nlink > 1) throw new WrongType(this.pathOf(name), 'hard link');
    };
    return this.#named(async () => {
      const found = await this.lstat(name);
      if (found) check(found);
      const handle = await fs.open(this.at(name), flags | FILE, 0o600);
      try {
        check(await handle.stat());
        return handle;
      } catch (error) {
        await handle.close();
        throw error;
      }
    });
  }

  /** A system error names the path of a descriptor, which tells a user nothing. */
  async #named<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof Error && this.#base !== this.path && errno(error) !== undefined) {
        error.message = error.message
          .replaceAll(`${this.#base}/`, () => this.pathOf(''))
          .replaceAll(`'${this.#base}'`, () => `'${this.path}'`);
      }
      throw error;
    }
  }
}

export type FileType = 'file' | 'folder' | 'symbolic link' | 'FIFO' | 'socket' | 'device';

export function typeOf(entry: Stats | Dirent): FileType {
  if (entry.isFile()) return 'file';
  if (entry.isDirectory()) return 'folder';
  if (entry.isSymbolicLink()) return 'symbolic link';
  if (entry.isFIFO()) return 'FIFO';
  return entry.isSocket() ? 'socket' : 'device';
}

/** Some file systems refuse even the owner a file already has. */
async function chown(handle: FileHandle, { uid, gid }: Owner): Promise<void> {
  const now = await handle.stat();
  if (now.uid !== uid || now.gid !== gid) await handle.chown(uid, gid);
}

/** The first `max_bytes` of an open file. */
export async function readStart(file: FileHandle, max_bytes: number): Promise<Buffer> {
  const { size } = await file.stat();
  const bytes = Buffer.alloc(Math.min(size, max_bytes));
  let filled = 0;
  while (filled < bytes.length) {
    const { bytesRead } = await file.read(bytes, filled, bytes.length - filled, filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return bytes.subarray(0, filled);
}
