import type { Stats } from 'node:fs';
import { BifractError } from '../../contract/errors.ts';
import { diskError, errno, WrongType } from '../files/errors.ts';
import { OpenFolder } from '../files/open-folder.ts';

const STATE = '.bifract';
const WRITABLE_BY_OTHERS = 0o022;

/** A folder of the state: `.bifract` itself, or one in it. */
export type StatePart = 'jobs' | 'journal' | 'run' | undefined;

/**
 * Opens a folder of the state of an installation; undefined if it does not exist. Neither it nor `.bifract` may be a
 * link, belong to anyone but root, the user of this process or the owner of the installation, or be writable by others
 * (`UNSAFE_PATH`).
 */
export async function openState(install: string, part?: StatePart): Promise<OpenFolder | undefined> {
  try {
    return await openParts(install, part, (parent, name) => parent.child(name));
  } catch (error) {
    if (errno(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** The same, but creates what is missing, with mode 0700. The installation must exist. */
export function makeState(install: string, part?: StatePart): Promise<OpenFolder> {
  return openParts(install, part, (parent, name) => parent.makeChild(name));
}

/** The users whose files are trusted in an installation: of this process, root, and the owner of its folder. */
export async function trustedUsers(install: string): Promise<number[]> {
  await using home = await OpenFolder.open(install);
  const { uid } = await home.stat();
  return trusted(uid);
}

function trusted(owner: number): number[] {
  return [process.getuid?.() ?? owner, 0, owner];
}

async function openParts(
  install: string,
  part: StatePart,
  open: (parent: OpenFolder, name: string) => Promise<OpenFolder>,
): Promise<OpenFolder> {
  await using home = await OpenFolder.open(install);
  const { uid } = await home.stat();
  const state = await openChecked(home, STATE, uid, open);
  if (part === undefined) return state;
  await using parent = state;
  return await openChecked(parent, part, uid, open);
}

async function openChecked(
  parent: OpenFolder,
  name: string,
  owner: number,
  open: (parent: OpenFolder, name: string) => Promise<OpenFolder>,
): Promise<OpenFolder> {
  const folder = await open(parent, name);
  try {
    requireSafe(folder.path, await folder.stat(), owner);
    return folder;
  } catch (error) {
    await folder[Symbol.asyncDispose]();
    throw error;
  }
}

function requireSafe(path: string, { uid, mode }: Stats, owner: number): void {
  if (!trusted(owner).includes(uid)) {
    throw new BifractError('UNSAFE_PATH', `${path} belongs to another user (UID ${uid})`, {
      hint: `Give it to the owner of the installation: \`chown -R ${owner} ${quoted(path)}\`.`,
    });
  }
  if ((mode & WRITABLE_BY_OTHERS) === 0) return;
  throw new BifractError('UNSAFE_PATH', `Other users can write to ${path}`, {
    hint: `Run \`chmod go-w ${quoted(path)}\`, or mount a file system without permissions with umask=077.`,
  });
}

/** Runs work on the state. A system error becomes a `BifractError`; a link or device, `UNSAFE_PATH`. */
export async function onState<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw stateError(what, error);
  }
}

/** The same conversion for an error already caught. */
export function stateError(what: string, error: unknown): unknown {
  if (!(error instanceof WrongType)) return diskError(what, error);
  return new BifractError('UNSAFE_PATH', `${what}: ${error.message}`, {
    hint: `Remove it with \`rm ${quoted(error.path)}\`.`,
    cause: error,
  });
}

/** For a shell. */
function quoted(path: string): string {
  return /^[\w./+:@-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}
