import { randomBytes } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import fs, { type FileHandle } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { BifractError } from '../../contract/errors.ts';
import { untilAbort } from '../abort.ts';
import { alreadyExists, DiskFile, publish } from './disk-file.ts';
import { onDisk, WrongType } from './errors.ts';
import { OpenFolder, readStart, typeOf } from './open-folder.ts';

const PERMISSIONS = 0o777;
const WRITABLE_BY_OTHERS = 0o022;
const MAX_BYTES = 16 << 20;
/** Links here, such as `/dev/stdout`, stand for descriptors: the file behind one may be a log. */
const OPEN_FILES = /^\/(dev|proc)(\/|$)/;

/** What has a name now, after following a link, and where it is. */
interface Target {
  folder: OpenFolder;
  name: string;
  /** Undefined if it does not exist. */
  stats: Stats | undefined;
}

/**
 * Replaces a regular file atomically and durably by what `change` makes of its content (at most 16 MiB), and keeps its
 * mode and, as root, its owner. `change` gets undefined if the file does not exist, and may throw; a new file gets
 * `mode`. What was written is read back before it replaces the file. `BUSY` if another program changes the file at the
 * same time. Follows a link only as `checkReplaceable` says.
 */
export async function replaceFile(
  path: string,
  change: (before: Buffer | undefined) => Uint8Array,
  { mode = 0o600 }: { mode?: number } = {},
): Promise<void> {
  await onDisk(`Cannot write ${path}`, async () => {
    const { folder: opened, name, stats } = await findTarget(path);
    await using folder = opened;
    const read = () => folder.read(name, MAX_BYTES);
    const before = stats && (await readSame(folder, name, stats, path));
    const content = change(before);
    const file = await DiskFile.create(folder, temporaryName(name), {
      owner: stats && process.getuid?.() === 0 ? { uid: stats.uid, gid: stats.gid } : undefined,
      mode: stats ? stats.mode & PERMISSIONS : mode,
    });
    try {
      await file.write(content);
      await file.finish();
      if (!(await folder.read(file.name, MAX_BYTES))?.equals(content)) throw writtenBadly(path);
      const now = await read();
      if (before === undefined ? now !== undefined : !now?.equals(before)) throw changedMeanwhile(path);
      await folder.rename(file.name, name);
    } catch (error) {
      await file.remove();
      throw error;
    }
    await folder.sync();
  });
}

/**
 * Throws `USAGE` if the path is not a regular file or the name of a new one. A link to a regular file is accepted if
 * no other user can have set it: in a folder that only its owner can write to, who is root, the user of this process, or
 * the owner of that file.
 */
export async function checkReplaceable(path: string): Promise<void> {
  try {
    const { folder } = await findTarget(path);
    await folder[Symbol.asyncDispose]();
  } catch (cause) {
    if (!(cause instanceof WrongType)) return;
    throw new BifractError('USAGE', cause.message, {
      hint: 'Name a regular file, or a file that does not exist yet.',
      cause,
    });
  }
}

/** Writes a new file with mode 0600 that exists only when complete, and belongs to the user of this process. */
export async function writeNewFile(
  path: string,
  content: AsyncIterable<Uint8Array>,
  signal?: AbortSignal,
): Promise<void> {
  const name = basename(path);
  await onDisk(`Cannot write ${path}`, async () => {
    await using folder = await OpenFolder.open(dirname(path));
    if (await folder.lstat(name)) throw alreadyExists(path);
    const file = await DiskFile.create(folder, temporaryName(name), { label: path });
    try {
      for await (const bytes of untilAbort(content, signal)) await file.write(bytes);
      await file.finish();
      signal?.throwIfAborted();
      await publish(folder, file.name, name);
    } catch (error) {
      await file.remove();
      throw error;
    }
  });
}

/** Creates a folder with mode 0700; false if it exists, possibly as a link to one. */
export async function makePrivateFolder(path: string): Promise<boolean> {
  return onDisk(`Cannot create ${path}`, async () => {
    const absolute = resolve(path);
    await using parent = await OpenFolder.open(dirname(absolute));
    if (await parent.mkdir(basename(absolute))) return true;
    await using _existing = await OpenFolder.open(absolute);
    return false;
  });
}

/** The content that is changed must be that of the file whose owner and mode the new one gets. */
async function readSame(folder: OpenFolder, name: string, stats: Stats, path: string): Promise<Buffer> {
  await using file = await folder.openFile(name);
  const { ino, dev, uid, mode } = await file.stat();
  const isSame = ino === stats.ino && dev === stats.dev && uid === stats.uid && mode === stats.mode;
  if (!isSame) throw changedMeanwhile(path);
  return await readStart(file, MAX_BYTES);
}

async function findTarget(path: string): Promise<Target> {
  const absolute = resolve(path);
  const home = await OpenFolder.open(dirname(absolute));
  const name = basename(absolute);
  try {
    const stats = await home.lstat(name);
    if (!stats || stats.isFile()) return { folder: home, name, stats };
    if (!stats.isSymbolicLink()) throw new WrongType(path, typeOf(stats));
    if (OPEN_FILES.test(await fs.realpath(dirname(absolute))))
      throw new WrongType(path, 'name of an open file');
    const target = await followLink(home, name, absolute);
    await home[Symbol.asyncDispose]();
    return target;
  } catch (error) {
    await home[Symbol.asyncDispose]();
    throw error;
  }
}

/** Opens what a link leads to, so that it stays the same file, and then its folder. */
async function followLink(home: OpenFolder, name: string, path: string): Promise<Target> {
  const link = home.at(name);
  const found = await fs.stat(link).catch(() => undefined);
  if (!found) throw new WrongType(path, 'symbolic link to nothing');
  if (!found.isFile()) throw new WrongType(path, `symbolic link to a ${typeOf(found)}`);
  await using file = await fs.open(link, constants.O_RDONLY | constants.O_NONBLOCK);
  const stats = await file.stat();
  if (!mayFollow(await home.stat(), stats)) {
    throw new WrongType(path, 'symbolic link that another user may have set');
  }
  const real = await realPath(file, link);
  const folder = await OpenFolder.open(dirname(real));
  const there = await folder.lstat(basename(real));
  if (there?.ino === stats.ino && there.dev === stats.dev) return { folder, name: basename(real), stats };
  await folder[Symbol.asyncDispose]();
  throw changedMeanwhile(path);
}

function mayFollow(home: Stats, file: Stats): boolean {
  if (!file.isFile() || file.nlink > 1 || (home.mode & WRITABLE_BY_OTHERS) !== 0) return false;
  return [0, process.getuid?.(), file.uid].includes(home.uid);
}

function realPath(file: FileHandle, link: string): Promise<string> {
  return fs.readlink(`/proc/self/fd/${file.fd}`).catch(() => fs.realpath(link));
}

function temporaryName(name: string): string {
  return `${name.startsWith('.') ? '' : '.'}${name}.${randomBytes(6).toString('hex')}`;
}

function writtenBadly(path: string): BifractError {
  return new BifractError('STORAGE_FAILED', `The new ${path} reads back differently from what was written`, {
    hint: 'Nothing was changed. Check the disk.',
  });
}

function changedMeanwhile(path: string): BifractError {
  return new BifractError('BUSY', `${path} was changed by another program`, { hint: 'Try again.' });
}
