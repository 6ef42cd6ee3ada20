import { existsSync, lstatSync, realpathSync } from 'node:fs';
import { userInfo } from 'node:os';
import { delimiter, dirname, isAbsolute } from 'node:path';

const WRITABLE_BY_GROUP = 0o020;
const WRITABLE_BY_OTHERS = 0o002;
const STICKY = 0o1000;

/** Folders that name code or settings of a user, in the variables of the XDG and Docker. */
const FOLDER_VARIABLES = ['XDG_CONFIG_HOME', 'XDG_CACHE_HOME', 'XDG_DATA_HOME', 'DOCKER_CONFIG'];

/**
 * Removes from the environment what could make this process run the code of another user: folders in `PATH` that depend
 * on the working directory; and for root those that another user can write to, and another user's home.
 */
export function restrictEnvironment(env: NodeJS.ProcessEnv = process.env): void {
  const isRoot = process.getuid?.() === 0;
  if (env.PATH !== undefined) env.PATH = safePath(env.PATH, isRoot);
  if (!isRoot) return;
  if (env.HOME !== undefined && isForeign(env.HOME)) env.HOME = userInfo().homedir;
  for (const name of FOLDER_VARIABLES) {
    const folder = env[name];
    if (folder && isForeign(folder)) delete env[name];
  }
}

/** Where programs are looked for if no folder is left: an empty `PATH` stands for the working directory. */
const SYSTEM_PATH = ['/usr/bin', '/bin'].join(delimiter);

/** The folder of this program stays: anyone who can write to it has won already. */
function safePath(path: string, isRoot: boolean): string {
  const own = [process.execPath, process.argv[1] ?? ''].map((file) => dirname(file));
  const folders = path.split(delimiter).filter((folder) => isAbsolute(folder));
  const safe = folders.filter((folder) => !isRoot || own.includes(folder) || isSafe(folder));
  return safe.join(delimiter) || SYSTEM_PATH;
}

function isForeign(folder: string): boolean {
  return existsSync(folder) && !isSafe(folder);
}

/**
 * Whether only this user and root can change a file, or what is in a folder, or what the path leads to: they own it and
 * all folders above, and others may not write there. A group may, if root has allowed it.
 */
export function isSafe(path: string): boolean {
  try {
    return [path, realpathSync(path)].every((one) => isSafePath(one) && isSafeAbove(one));
  } catch {
    return false;
  }
}

function isSafeAbove(path: string): boolean {
  const parent = dirname(path);
  return parent === path || (isSafePath(parent, STICKY) && isSafeAbove(parent));
}

/** With `STICKY` as exception, others may write to a folder if they cannot replace what is ours in it. */
function isSafePath(path: string, exception = 0): boolean {
  const found = lstatSync(path);
  const isOurs = found.uid === 0 || found.uid === process.getuid?.();
  const forbidden = found.uid === 0 ? WRITABLE_BY_OTHERS : WRITABLE_BY_OTHERS | WRITABLE_BY_GROUP;
  const isClosed = (found.mode & forbidden) === 0 || (found.mode & exception) !== 0;
  return isOurs && (found.isSymbolicLink() || isClosed);
}
