import { lstatSync, mkdirSync } from 'node:fs';
import module from 'node:module';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';

/** Permissions of group and others to write. */
const WRITABLE_BY_OTHERS = 0o022;
const STICKY = 0o1000;

/**
 * Lets Node keep compiled code between runs, in a folder that only this user can write to. Node's own default is a
 * folder in /tmp, where another user can place code that this process would then run: without a safe folder there is
 * no cache, and the program only starts slower.
 */
export function enableCompileCache(env: NodeJS.ProcessEnv = process.env): void {
  const folder = compileCacheFolder(env);
  if (folder !== undefined) module.enableCompileCache?.(folder);
}

/** The folder for compiled code, created with mode 0700; undefined if no safe one can be had. */
export function compileCacheFolder(env: NodeJS.ProcessEnv, home = homeOf(env)): string | undefined {
  const base =
    env.XDG_CACHE_HOME && isAbsolute(env.XDG_CACHE_HOME) ? env.XDG_CACHE_HOME : home && join(home, '.cache');
  if (!base) return undefined;
  const folder = join(base, 'bifract-console');
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    return isPrivate(folder) ? folder : undefined;
  } catch {
    return undefined;
  }
}

/** Not `os.homedir()` alone: with sudo, HOME can be the home of the user who called it. */
function homeOf(env: NodeJS.ProcessEnv): string | undefined {
  if (process.getuid?.() === 0) return '/root';
  const home = env.HOME ?? homedir();
  return isAbsolute(home) ? home : undefined;
}

/** Whether a folder and all above it are real folders that only this user or root can change. */
function isPrivate(folder: string): boolean {
  const uid = process.getuid?.();
  if (uid === undefined) return true;
  const own = lstatSync(folder);
  if (!own.isDirectory() || own.uid !== uid || (own.mode & 0o077) !== 0) return false;
  for (let path = dirname(folder); ; path = dirname(path)) {
    const above = lstatSync(path);
    const isSafe = (above.mode & WRITABLE_BY_OTHERS) === 0 || (above.mode & STICKY) !== 0;
    if (!above.isDirectory() || (above.uid !== uid && above.uid !== 0) || !isSafe) return false;
    if (path === dirname(path)) return true;
  }
}
