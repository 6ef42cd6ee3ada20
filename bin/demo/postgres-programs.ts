import { execFile } from 'node:child_process';
import { access, constants, readdir, realpath } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { BifractError } from '../../src/core/contract/errors.ts';

const run = promisify(execFile);

/** Folders where distributions put the server programs, outside PATH. */
const USUAL_FOLDERS = [
  '/usr/lib/postgresql/*/bin',
  '/usr/pgsql-*/bin',
  '/usr/local/pgsql/bin',
  '/usr/local/opt/postgresql*/bin',
  '/opt/homebrew/opt/postgresql*/bin',
  '/home/linuxbrew/.linuxbrew/opt/postgresql*/bin',
  '/opt/local/lib/postgresql*/bin',
  '/Applications/Postgres.app/Contents/Versions/*/bin',
];

/** A folder with `initdb` and `postgres`, and their version, such as `15.18`. */
export interface PostgresPrograms {
  bin: string;
  version: string;
}

/** Finds the newest PostgreSQL server of this machine. Throws `PROGRAM_MISSING` if there is none. */
export async function findPostgres(
  path = process.env.PATH ?? '',
  patterns = USUAL_FOLDERS,
): Promise<PostgresPrograms> {
  const folders = new Set<string>();
  for (const folder of [...path.split(delimiter), ...(await expandAll(patterns))]) {
    const bin = await serverFolder(folder);
    if (bin) folders.add(bin);
  }
  const found = await Promise.all([...folders].map(async (bin) => ({ bin, version: await versionOf(bin) })));
  const newest = newestOf(found);
  if (newest) return newest;
  throw new BifractError('PROGRAM_MISSING', 'PostgreSQL is not installed on this machine', {
    hint: 'Install it: apt-get install postgresql (Debian, Ubuntu), dnf install postgresql-server (Fedora) or brew install postgresql (macOS).',
  });
}

/** The highest version. Programs without a version do not run and are ignored. */
export function newestOf(found: PostgresPrograms[]): PostgresPrograms | undefined {
  const collator = new Intl.Collator('en', { numeric: true });
  return found.filter(({ version }) => version).sort((a, b) => collator.compare(b.version, a.version))[0];
}

/** The user to run the server as: undefined for the current one, another one for root, which PostgreSQL refuses. */
export async function serverUser(): Promise<{ uid: number; gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ['postgres', 'nobody']) {
    const [uid, gid] = await Promise.all(['-u', '-g'].map((flag) => idOf(flag, name)));
    if (uid && gid) return { uid, gid };
  }
  throw new BifractError(
    'PROGRAM_MISSING',
    'PostgreSQL cannot run as root, and there is no user `postgres` or `nobody`',
    {
      hint: 'Run the demo as an ordinary user.',
    },
  );
}

async function idOf(flag: string, name: string): Promise<number> {
  return run('id', [flag, name]).then(
    ({ stdout }) => Number(stdout),
    () => 0,
  );
}

async function expandAll(patterns: string[]): Promise<string[]> {
  const expanded = await Promise.all(patterns.map(expand));
  return expanded.flat();
}

/** Expands a pattern with at most one `*` to folders. */
async function expand(pattern: string): Promise<string[]> {
  const [before = '', after] = pattern.split('*');
  if (after === undefined) return [pattern];
  const parent = before.slice(0, before.lastIndexOf('/'));
  const start = before.slice(parent.length + 1);
  const names = await readdir(parent).catch(() => []);
  return names.filter((name) => name.startsWith(start)).map((name) => join(parent, name, after));
}

/** The real folder of the server programs: PATH may link only some of them. */
async function serverFolder(folder: string): Promise<string | undefined> {
  try {
    const initdb = await realpath(join(folder, 'initdb'));
    const bin = join(initdb, '..');
    await access(join(bin, 'postgres'), constants.X_OK);
    return bin;
  } catch {
    return undefined;
  }
}

async function versionOf(bin: string): Promise<string> {
  return run(join(bin, 'postgres'), ['--version']).then(
    ({ stdout }) => /\d+(\.\d+)?/.exec(stdout)?.[0] ?? '',
    () => '',
  );
}
