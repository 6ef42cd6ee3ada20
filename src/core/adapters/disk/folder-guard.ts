import type { Dirent } from 'node:fs';
import { BifractError } from '../../contract/errors.ts';
import { backupTime } from '../../policy/names.ts';
import type { KnownFolder } from '../../ports/state.ts';
import type { OpenFolder } from '../files/open-folder.ts';
import { type DiskRoot, LOST_FOUND } from './root.ts';

/** How old the note about a folder may become. */
const RENEW_MS = 86_400_000;

/** Where folders that held files are noted: the state of the installation. */
export interface FolderMemory {
  folders(): Promise<KnownFolder[]>;
  changeFolders(change: (known: KnownFolder[]) => KnownFolder[]): Promise<void>;
}

/**
 * Notices that a folder is not the one that held files before: a file system that is not mounted leaves an empty folder,
 * or none. Such a folder is neither empty nor new: nothing may be concluded from what it lacks, and nothing written to it.
 */
export class FolderGuard {
  readonly #root: DiskRoot;
  readonly #memory: FolderMemory;
  readonly #now: () => Date;
  /** The folder as this process last noted it. */
  #noted: KnownFolder | undefined;

  constructor(root: DiskRoot, memory: FolderMemory, now: () => Date = () => new Date()) {
    this.#root = root;
    this.#memory = memory;
    this.#now = now;
  }

  /** `STORAGE_UNREACHABLE` if the folder held files, and is gone or another, empty one. */
  async check(): Promise<void> {
    await using folder = await this.#root.open();
    if (folder && (await holdsFiles(folder))) return;
    const known = await this.#recall();
    if (!known) return;
    if (!folder || known.id !== (await idOf(folder))) throw vanished(known, folder !== undefined);
    // Somebody emptied it. Its identity may change with the next boot.
    await this.noteDeletion();
  }

  /** Notes that the folder holds files. Best effort: the next one to use it notes it too. */
  async noteFiles(): Promise<void> {
    if (this.#noted && this.#isFresh(this.#noted)) return;
    await bestEffort(async () => {
      await using folder = await this.#root.open();
      if (!folder || !(await holdsFiles(folder))) return;
      const id = await idOf(folder);
      const known = await this.#recall();
      if (known?.id === id && this.#isFresh(known)) {
        this.#noted = known;
        return;
      }
      const noted = { path: this.#root.path, id, seen_at: this.#now().toISOString() };
      await this.#memory.changeFolders((all) => [...this.#others(all), noted]);
      this.#noted = noted;
    });
  }

  /** Forgets the folder if its last file was deleted. */
  async noteDeletion(): Promise<void> {
    await bestEffort(async () => {
      await using folder = await this.#root.open();
      if (!folder || (await holdsFiles(folder))) return;
      this.#noted = undefined;
      await this.#memory.changeFolders((all) => this.#others(all));
    });
  }

  #isFresh({ seen_at }: KnownFolder): boolean {
    return this.#now().getTime() - Date.parse(seen_at) < RENEW_MS;
  }

  #others(all: readonly KnownFolder[]): KnownFolder[] {
    return all.filter(({ path }) => path !== this.#root.path);
  }

  /** A note that cannot be read is none: storage works without one. */
  async #recall(): Promise<KnownFolder | undefined> {
    const all = await this.#memory.folders().catch(() => []);
    return all.find(({ path }) => path === this.#root.path);
  }
}

async function holdsFiles(folder: OpenFolder): Promise<boolean> {
  return (await folder.entries()).some(isContent);
}

/** A backup, or the folder of a fractal. A file that says "not mounted" is neither. */
function isContent(entry: Dirent): boolean {
  const { name } = entry;
  if (entry.isDirectory()) return !name.startsWith('.') && name !== LOST_FOUND;
  return backupTime(name) !== undefined;
}

async function bestEffort(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch {
    // The folder can be used all the same.
  }
}

async function idOf(folder: OpenFolder): Promise<string> {
  const { dev, ino } = await folder.stat();
  return `${dev}:${ino}`;
}

function vanished({ path, seen_at }: KnownFolder, exists: boolean): BifractError {
  const when = seen_at.slice(0, 'yyyy-mm-dd'.length);
  return new BifractError(
    'STORAGE_UNREACHABLE',
    exists
      ? `${path} is empty, and not the folder that held files on ${when}`
      : `${path} does not exist, but held files on ${when}`,
    {
      hint: 'Mount its file system, or put the folder back. If its files were deleted or moved on purpose, run `bifract init --new-storage`.',
    },
  );
}
