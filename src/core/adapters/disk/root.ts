import { randomBytes } from 'node:crypto';
import type { Dirent, Stats } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { BifractError } from '../../contract/errors.ts';
import { errno, WrongType } from '../files/errors.ts';
import { OpenFolder, type Owner, typeOf } from '../files/open-folder.ts';
import { checkObjectName, compareNames, isObjectName } from '../storage/object-name.ts';

const PARTIAL = /^\.(.+)\.([\w-]*)\.[0-9a-f]{12}\.partial$/s;
const JOB = /^[\w-]{0,60}$/;
/** The folder for repaired files of a file system: in the root of one that is mounted for backups. */
export const LOST_FOUND = 'lost+found';

/** The parts of the name of an unfinished file. */
interface PartialName {
  name: string;
  job: string | undefined;
}

/** What is in a folder below the root. `path` is relative, with `/` as separator. */
interface Listed {
  path: string;
  /** Whether its name begins with a dot. */
  hidden: boolean;
  /** Undefined if it was removed in the meantime. */
  stats(): Promise<Stats | undefined>;
}

/**
 * A folder as the root of a storage. It may itself be reached through links, as an administrator sets them; below it
 * no link is followed. It is opened for each operation, so that a mount on it is noticed.
 */
export class DiskRoot {
  readonly path: string;

  constructor(path: string) {
    this.path = resolve(path);
  }

  /** Undefined if it does not exist. What is there but no folder is an error: it does not count as empty. */
  async open(): Promise<OpenFolder | undefined> {
    return unlessMissing(OpenFolder.open(this.path), ['ENOENT']);
  }

  /** The folder of an object, existing or not; undefined if there is none. */
  async folderOf(name: string): Promise<OpenFolder | undefined> {
    checkObjectName(name);
    let folder = await this.open();
    for (const part of name.split('/').slice(0, -1)) {
      if (!folder) return undefined;
      await using parent = folder;
      folder = await unlessMissing(parent.child(part));
    }
    return folder;
  }

  /**
   * The folder of an object, created if it is missing, but nothing above the root. If this runs as root, new folders
   * belong to the owner of the root, and so must new files: a server of that user must be able to read them.
   */
  async makeFolderOf(name: string): Promise<{ folder: OpenFolder; owner: Owner | undefined }> {
    checkObjectName(name);
    let folder = await OpenFolder.make(this.path);
    const owner = await ownerOf(folder);
    for (const part of name.split('/').slice(0, -1)) {
      await using parent = folder;
      folder = await parent.makeChild(part, owner);
    }
    return { folder, owner };
  }

  /** Parses the path, relative to the root, of an unfinished file; undefined for any other file. */
  parsePartial(path: string): PartialName | undefined {
    const [, file, job] = PARTIAL.exec(basename(path)) ?? [];
    if (file === undefined) return undefined;
    const folder = dirname(path);
    const name = folder === '.' ? file : `${folder}/${file}`;
    return isObjectName(name) ? { name, job: job || undefined } : undefined;
  }

  /**
   * What is below the root and no folder, sorted by path. Skips folders that cannot contain `prefix` and hidden ones.
   * Links are listed, not followed; so are folders that must not be read, unless `prefix` is in them. A missing folder
   * counts as empty.
   */
  async *files(prefix: string): AsyncGenerator<Listed> {
    await using root = await this.open();
    if (root) yield* walk(root, prefix);
  }
}

/** A new hidden name for the unfinished file of an object, with the job in it. */
export function partialName(file: string, job = ''): string {
  if (!JOB.test(job)) throw new BifractError('INTERNAL', `Invalid job ID: ${JSON.stringify(job)}`);
  return `.${file}.${job}.${randomBytes(6).toString('hex')}.partial`;
}

async function unlessMissing(
  opening: Promise<OpenFolder>,
  codes: readonly string[] = ['ENOENT', 'ENOTDIR'],
): Promise<OpenFolder | undefined> {
  try {
    return await opening;
  } catch (error) {
    if (codes.includes(errno(error) ?? '')) return undefined;
    throw error;
  }
}

async function ownerOf(root: OpenFolder): Promise<Owner | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const { uid, gid } = await root.stat();
  return uid === 0 ? undefined : { uid, gid };
}

async function* walk(folder: OpenFolder, prefix: string, below = ''): AsyncGenerator<Listed> {
  for (const entry of (await folder.entries()).sort((a, b) => compareNames(sortKey(a), sortKey(b)))) {
    const { name } = entry;
    const path = below + name;
    const listed = { path, hidden: name.startsWith('.'), stats: () => folder.lstat(name) };
    const holdsPrefix = prefix.startsWith(`${path}/`);
    if (!entry.isDirectory()) {
      if (holdsPrefix && entry.isSymbolicLink()) throw new WrongType(folder.pathOf(name), typeOf(entry));
      yield listed;
    } else if (!listed.hidden && name !== LOST_FOUND && (holdsPrefix || path.startsWith(prefix))) {
      const child = await openListed(folder, name, holdsPrefix);
      if (child === 'denied') yield listed;
      else if (child) yield* walkIn(child, prefix, `${path}/`);
    }
  }
}

async function* walkIn(child: OpenFolder, prefix: string, below: string): AsyncGenerator<Listed> {
  await using folder = child;
  yield* walk(folder, prefix, below);
}

/** Undefined if it was removed in the meantime. Throws if it is denied although it is `needed`. */
async function openListed(
  parent: OpenFolder,
  name: string,
  needed: boolean,
): Promise<OpenFolder | 'denied' | undefined> {
  try {
    return await unlessMissing(parent.child(name));
  } catch (error) {
    if (!needed && errno(error) === 'EACCES') return 'denied';
    throw error;
  }
}

/** A folder sorts like its files, with the slash. */
function sortKey(entry: Dirent): string {
  return entry.isDirectory() ? `${entry.name}/` : entry.name;
}
