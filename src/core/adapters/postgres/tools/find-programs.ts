import { readdir } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import type { CallOptions } from '../../../ports/types.ts';

const DEBIAN = '/usr/lib/postgresql';

/** A local pg_dump. */
export interface PgDumpProgram {
  path: string;
  /** For example `15.18`. */
  version: string;
}

/** All local pg_dump programs: in `PATH`, and in Debian's folders for each version. */
export async function findPgDump(options?: CallOptions): Promise<PgDumpProgram[]> {
  const folders = [...(await debianFolders()), ...(process.env.PATH ?? '').split(delimiter)].filter(Boolean);
  const paths = [...new Set(folders.map((folder) => join(folder, 'pg_dump')))];
  const versions = await Promise.all(paths.map((path) => programVersion(path, ['--version'], options)));
  return paths.flatMap((path, index) => {
    const version = versions[index];
    return version === undefined ? [] : [{ path, version }];
  });
}

/**
 * The best program for a server: the newest release of the lowest major version that is not older than the server. An
 * older program cannot dump it, and the dumps of a much newer one cannot be read by the server's own pg_restore.
 */
export function bestFor(server_version: string, programs: PgDumpProgram[]): PgDumpProgram | undefined {
  const server = majorOf(server_version);
  const fit = programs.filter(({ version }) => majorOf(version) >= server);
  return fit.sort(
    (a, b) => majorOf(a.version) - majorOf(b.version) || minorOf(b.version) - minorOf(a.version),
  )[0];
}

/** The major version, also with a name in front of it. */
export function majorOf(version: string): number {
  return Number(/\d+/.exec(version)?.[0]);
}

function minorOf(version: string): number {
  return Number.parseInt(version.split('.')[1] ?? '0', 10);
}

/** The version of a PostgreSQL program; undefined if it does not exist. */
export async function programVersion(
  program: string,
  args: string[],
  { signal, cwd }: CallOptions & { cwd?: string } = {},
): Promise<string | undefined> {
  const { execa } = await import('execa');
  const { failed, stdout } = await execa(program, args, {
    cwd,
    reject: false,
    cancelSignal: signal,
    stdin: 'ignore',
  });
  signal?.throwIfAborted();
  return failed ? undefined : /\(PostgreSQL\) (\d+[.\d\w]*)/.exec(stdout)?.[1];
}

async function debianFolders(): Promise<string[]> {
  const versions = await readdir(DEBIAN).catch(() => []);
  return versions.map((version) => join(DEBIAN, version, 'bin'));
}
