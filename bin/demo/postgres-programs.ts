import { execFile } from 'node:child_process';
import { access, constants, readdir, realpath } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { BifractError } from '../../src/core/errors.ts';

const run = promisify(execFile);

/** Where distributions put the server's programs, which they keep out of PATH. */
const USUAL_PLACES = [
  '/usr/lib/postgresql/*/bin',
  '/usr/pgsql-*/bin',
  '/usr/local/pgsql/bin',
  '/usr/local/opt/postgresql*/bin',
  '/opt/homebrew/opt/postgresql*/bin',
  '/home/linuxbrew/.linuxbrew/opt/postgresql*/bin',
  '/opt/local/lib/postgresql*/bin',
  '/Applications/Postgres.app/Contents/Versions/*/bin',
];

/** A folder with `initdb` and `postgres`, and their version, as `15.18`. */
export interface PostgresPrograms {
  bin: string;
  version: string;
}

/** The newest PostgreSQL server of this machine. `PROGRAM_MISSING` where there is none. */
export async function findPostgres(
  path = process.env.PATH ?? '',
  places = USUAL_PLACES,
): Promise<PostgresPrograms> {
  const folders = new Set<string>();
  for (const folder of [...path.split(delimiter), ...(await foldersOf(places))]) {
    const bin = await serverFolder(folder);
    if (bin) folders.add(bin);
  }
  const found = await Promise.all([...folders].map(async (bin) => ({ bin, version: await versionOf(bin) })));
  const newest = newestOf(found);
  if (newest) return newest;
  throw new BifractError('PROGRAM_MISSING', 'PostgreSQL is not installed on this machine', {
    hint: 'Install it: apt-get install postgresql (Debian, Ubuntu), dnf install postgresql-server (Fedora) or brew install postgresql (macOS)',
  });
}

/** The one of the highest version; one without a version does not run, and is none. */
export function newestOf(found: PostgresPrograms[]): PostgresPrograms | undefined {
  const order = new Intl.Collator('en', { numeric: true });
  return found.filter(({ version }) => version).sort((a, b) => order.compare(b.version, a.version))[0];
}

/** The user that the server runs as: ourselves, or another one where we are root, which it refuses. */
export async function serverUser(): Promise<{ uid: number; gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ['postgres', 'nobody']) {
    const [uid, gid] = await Promise.all(['-u', '-g'].map((flag) => idOf(flag, name)));
    if (uid && gid) return { uid, gid };
  }
  throw new BifractError(
    'PROGRAM_MISSING',
    'PostgreSQL does not run as root, and there is no user to run it as',
    {
      hint: 'Run the demo as an ordinary user',
    },
  );
}

async function idOf(flag: string, name: string): Promise<number> {
  return run('id', [flag, name]).then(
    ({ stdout }) => Number(stdout),
    () => 0,
  );
}

async function foldersOf(places: string[]): Promise<string[]> {
  const expanded = await Promise.all(places.map(expand));
  return expanded.flat();
}

/** The folders that a pattern with one `*` names. */
async function expand(pattern: string): Promise<string[]> {
  const [before = '', after] = pattern.split('*');
  if (after === undefined) return [pattern];
  const parent = before.slice(0, before.lastIndexOf('/'));
  const start = before.slice(parent.length + 1);
  const names = await readdir(parent).catch(() => []);
  return names.filter((name) => name.startsWith(start)).map((name) => join(parent, name, after));
}

/** The real folder of a server's programs: a link in PATH may name only some of them. */
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
