import { randomBytes } from 'node:crypto';
import type { Dirent, Stats } from 'node:fs';
import fs from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { BifractError } from '../../contract/errors.ts';
import { checkObjectName, compareNames, isObjectName } from '../storage/object-name.ts';
import { errno } from './errors.ts';
import { type Owner, syncFolder } from './file.ts';

const PARTIAL = /^\.(.+)\.([\w-]*)\.[0-9a-f]{12}\.partial$/s;
const JOB = /^[\w-]{0,60}$/;

/** The parts of the name of an unfinished file. */
interface PartialName {
  name: string;
  job: string | undefined;
}

/** A file below a folder: its relative path, with `/` as separator. */
interface FileEntry {
  path: string;
  /** Whether its name begins with a dot. */
  hidden: boolean;
  /** Set for a folder that cannot be read: why. */
  unreadable?: string;
}

/** A folder as the root of a storage. Turns object names into paths, and rejects those that lead out of it. */
export class DiskRoot {
  readonly path: string;

  constructor(path: string) {
    this.path = resolve(path);
  }

  /** The path of an object, existing or not. */
  target(name: string): string {
    checkObjectName(name);
    return join(this.path, name);
  }

  /** A new hidden name next to the target that includes the job. */
  partial(name: string, job = ''): string {
    if (!JOB.test(job)) throw new BifractError('INTERNAL', `Invalid job ID: ${JSON.stringify(job)}`);
    const target = this.target(name);
    return join(dirname(target), `.${basename(target)}.${job}.${randomBytes(6).toString('hex')}.partial`);
  }

  /** Parses the path, relative to the root, of an unfinished file; undefined for any other file. */
  parsePartial(path: string): PartialName | undefined {
    const [, file, job] = PARTIAL.exec(basename(path)) ?? [];
    if (file === undefined) return undefined;
    const folder = dirname(path);
    const name = folder === '.' ? file : `${folder.split(sep).join('/')}/${file}`;
    return isObjectName(name) ? { name, job: job || undefined } : undefined;
  }

  /** Undefined if there is no such file. Symbolic links that lead out of the root are refused. */
  async stat(path: string): Promise<Stats | undefined> {
    try {
      await this.#mustBeInside(path);
      const stats = await fs.stat(path);
      return stats.isFile() ? stats : undefined;
    } catch (error) {
      if (errno(error) === 'ENOENT' || errno(error) === 'ENOTDIR') return undefined;
      throw error;
    }
  }

  /** Creates the folders of a path, including the root but nothing above it. */
  async makeFolders(path: string, owner: Owner | undefined): Promise<void> {
    const parts = relative(this.path, path).split(sep).slice(0, -1);
    await makeFolder(this.path, undefined);
    for (let depth = 1; depth <= parts.length; depth++) {
      const folder = join(this.path, ...parts.slice(0, depth));
      await makeFolder(folder, owner);
      await this.#mustBeInside(folder);
    }
  }

  /** If this runs as root, the owner of the root folder: new files must be readable by a server of that user. */
  async owner(): Promise<Owner | undefined> {
    if (process.getuid?.() !== 0) return undefined;
    try {
      const { uid, gid } = await fs.stat(this.path);
      return uid === 0 ? undefined : { uid, gid };
    } catch (error) {
      if (errno(error) === 'ENOENT') return undefined;
      throw error;
    }
  }

  /** Free bytes, for users other than root, of the file system of `folder`: it may differ from that of the root. */
  async freeBytes(folder = this.path): Promise<number> {
    const { bavail, bsize } = await fs.statfs(folder);
    return bavail * bsize;
  }

  /**
   * The files below the root, sorted by path. Skips folders that cannot contain `prefix`, and does not enter hidden or
   * linked folders. A missing folder counts as empty.
   */
  files(prefix: string): AsyncGenerator<FileEntry> {
    return walk(this.path, prefix);
  }

  async #mustBeInside(path: string): Promise<void> {
    const [root, real] = await Promise.all([fs.realpath(this.path), fs.realpath(path)]);
    if (real === root || real.startsWith(root.endsWith(sep) ? root : root + sep)) return;
    throw new BifractError('STORAGE_FAILED', `${path} points outside ${this.path}`, {
      hint: 'Remove the symbolic link: files must be inside that folder.',
    });
  }
}

async function makeFolder(path: string, owner: Owner | undefined): Promise<void> {
  try {
    await fs.mkdir(path, 0o700);
  } catch (error) {
    if (errno(error) === 'EEXIST') return;
    throw error;
  }
  if (owner) await fs.chown(path, owner.uid, owner.gid);
  await syncFolder(dirname(path));
}

async function* walk(root: string, prefix: string, below = ''): AsyncGenerator<FileEntry> {
  let entries: Dirent[];
  try {
    entries = await sortedEntries(join(root, below));
  } catch (error) {
    // One folder must not hide all others; but without its root, a storage has no list.
    if (below === '' || errno(error) === undefined) throw error;
    yield { path: below.slice(0, -1), hidden: false, unreadable: String((error as Error).message) };
    return;
  }
  for (const entry of entries) {
    const path = below + entry.name;
    const hidden = entry.name.startsWith('.');
    if (!entry.isDirectory()) yield { path, hidden };
    else if (!hidden && reaches(`${path}/`, prefix)) yield* walk(root, prefix, `${path}/`);
  }
}

function reaches(folder: string, prefix: string): boolean {
  return folder.startsWith(prefix) || prefix.startsWith(folder);
}

async function sortedEntries(folder: string): Promise<Dirent[]> {
  try {
    const entries = await fs.readdir(folder, { withFileTypes: true });
    return entries.sort((a, b) => compareNames(sortKey(a), sortKey(b)));
  } catch (error) {
    if (errno(error) === 'ENOENT') return [];
    throw error;
  }
}

/** A folder sorts like its files, with the slash. */
function sortKey(entry: Dirent): string {
  return entry.isDirectory() ? `${entry.name}/` : entry.name;
}
