import { readdir } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import type { CallOptions } from '../ports/types.ts';

const DEBIAN = '/usr/lib/postgresql';

/** A pg_dump of this machine. */
export interface PgDumpProgram {
  path: string;
  /** As `15.18`. */
  version: string;
}

/** All pg_dump programs of this machine: in `PATH`, and where Debian keeps one for each version. */
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
 * The program that fits a server best. An older one cannot read it; a much newer one writes dumps that the
 * server's own pg_restore does not take: so the lowest major version that will do, and its newest release.
 */
export function bestFor(server_version: string, programs: PgDumpProgram[]): PgDumpProgram | undefined {
  const server = majorOf(server_version);
  const fit = programs.filter(({ version }) => majorOf(version) >= server);
  return fit.sort(
    (a, b) => majorOf(a.version) - majorOf(b.version) || minorOf(b.version) - minorOf(a.version),
  )[0];
}

/** The first number of a version, also where a name stands before it. */
export function majorOf(version: string): number {
  return Number(/\d+/.exec(version)?.[0]);
}

function minorOf(version: string): number {
  return Number.parseInt(version.split('.')[1] ?? '0', 10);
}

/** The version that a program of PostgreSQL tells; undefined where there is no such program. */
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
