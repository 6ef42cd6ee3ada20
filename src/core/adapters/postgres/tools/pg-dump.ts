import { BifractError } from '../../../contract/errors.ts';
import type { DumpTool } from '../../../ports/database.ts';
import type { CallOptions } from '../../../ports/types.ts';
import type { PostgresConnection } from '../errors.ts';
import { type DumpCommand, dumpOutput } from './dump-process.ts';
import { bestFor, findPgDump, majorOf, type PgDumpProgram, programVersion } from './find-programs.ts';

type DumpOptions = CallOptions & { snapshot?: string; onTable?: (table: string) => void };

const END_TIMEOUT_MS = 10_000;
const LOCK_TIMEOUT_MS = 300_000;
/**
 * Prints its process id before it becomes pg_dump, so that it can be ended from outside: a process in a container
 * outlives the client that started it. Uses the password of the image for local connections that require one.
 */
const PRINT_PID =
  'echo "bifract pid $$" >&2; [ -n "$PGPASSWORD" ] || PGPASSWORD=$POSTGRES_PASSWORD; LC_ALL=C; export PGPASSWORD LC_ALL; exec pg_dump "$@"';

/**
 * The arguments of every dump, without compression: the backup format compresses. Measured on a 620 MB database (JSON
 * and text, PostgreSQL 15, two busy cores): gzip of pg_dump 122 MB in 14 to 25 s; zstd at level 3 afterwards 88 MB in
 * 9 to 10 s; uncompressed 487 MB in 5 to 9 s.
 */
function dumpArgs(snapshot: string | undefined): string[] {
  const args = ['-Fc', '-Z', '0', '--verbose', '--no-password', `--lock-wait-timeout=${LOCK_TIMEOUT_MS}`];
  return snapshot === undefined ? args : [...args, `--snapshot=${snapshot}`];
}

/** A local pg_dump. Connection and password are passed in the environment: other users can read arguments. */
export function localDumpTool({ path, version }: PgDumpProgram, connection: PostgresConnection): DumpTool {
  const { host, port, user, database, password } = connection;
  const env: Record<string, string> = {
    PGHOST: host,
    PGPORT: String(port),
    PGUSER: user,
    PGDATABASE: database,
    ...(password === undefined ? {} : { PGPASSWORD: password }),
  };
  const location = `pg_dump ${version} (${path})`;
  return {
    location,
    version: async () => version,
    dump: ({ snapshot, ...options }: DumpOptions) =>
      dumpOutput({ location, program: path, args: dumpArgs(snapshot), env }, options),
  };
}

/** The pg_dump of the installation's PostgreSQL container, through Docker Compose. */
export function composeDumpTool(
  dir: string,
  { user, database }: { user: string; database: string },
): DumpTool {
  const location = 'pg_dump in the container postgres';
  const inContainer = ['compose', 'exec', '-T', 'postgres'];
  const command = (snapshot: string | undefined): DumpCommand => ({
    location,
    program: 'docker',
    args: [
      ...inContainer,
      'sh',
      '-c',
      PRINT_PID,
      'pg_dump',
      ...dumpArgs(snapshot),
      '-U',
      user,
      '-d',
      database,
    ],
    env: {},
    cwd: dir,
    endRemote: (pid) => runQuietly([...inContainer, 'kill', '-TERM', String(pid)], dir),
  });
  return {
    location,
    async version(options?: CallOptions) {
      const args = [...inContainer, 'pg_dump', '--version'];
      const version = await programVersion('docker', args, { ...options, cwd: dir });
      if (version !== undefined) return version;
      throw new BifractError(
        'PROGRAM_MISSING',
        'No pg_dump in the container postgres, or Docker does not respond',
        { hint: 'Check that the containers are running (docker compose ps).' },
      );
    },
    dump: ({ snapshot, ...options }: DumpOptions) => dumpOutput(command(snapshot), options),
  };
}

/** What a dump tool is selected for. */
export interface DumpTarget {
  connection: PostgresConnection;
  /** Version of the server, such as `16.4` or `PostgreSQL 16.4`. */
  server_version: string;
  /** The installation directory if its PostgreSQL runs in a container, else undefined. */
  compose_dir: string | undefined;
}

/**
 * Selects a pg_dump: a local one of the server's major version, else the container's, else a newer local one.
 * `PROGRAM_MISSING`, `PROGRAM_TOO_OLD`.
 */
export async function findDumpTool(target: DumpTarget, options?: CallOptions): Promise<DumpTool> {
  const { connection, server_version, compose_dir } = target;
  const programs = await findPgDump(options);
  const best = bestFor(server_version, programs);
  if (best && (majorOf(best.version) === majorOf(server_version) || compose_dir === undefined)) {
    return localDumpTool(best, connection);
  }
  if (compose_dir !== undefined) return composeDumpTool(compose_dir, connection);
  const hint = `Install the PostgreSQL client programs, version ${majorOf(server_version)} or newer.`;
  if (programs.length === 0)
    throw new BifractError('PROGRAM_MISSING', 'No pg_dump found on this machine', { hint });
  const found = programs.map(({ version }) => version).join(', ');
  throw new BifractError('PROGRAM_TOO_OLD', `pg_dump ${found} is older than the server (${server_version})`, {
    hint,
  });
}

async function runQuietly(args: string[], cwd: string): Promise<void> {
  const { execa } = await import('execa');
  await execa('docker', args, { cwd, reject: false, stdin: 'ignore', timeout: END_TIMEOUT_MS });
}
