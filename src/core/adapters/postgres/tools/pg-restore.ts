import { dirname, join } from 'node:path';
import { BifractError } from '../../../contract/errors.ts';
import type { DumpRestoreOptions, RestoreTool } from '../../../ports/database-server.ts';
import type { CallOptions } from '../../../ports/types.ts';
import { docker } from '../../docker/compose.ts';
import type { PostgresConnection } from '../errors.ts';
import { bestFor, findPgDump, majorOf, programVersion } from './find-programs.ts';
import type { DumpTarget } from './pg-dump.ts';
import { type RestoreCommand, type RestoreResult, runWithInput } from './restore-process.ts';
import { parseContents } from './table-of-contents.ts';

/** Prints its process id before it becomes pg_restore: see `PRINT_PID` of pg_dump. */
const PRINT_PID =
  'echo "bifract pid $$" >&2; [ -n "$PGPASSWORD" ] || PGPASSWORD=$POSTGRES_PASSWORD; LC_ALL=C; export PGPASSWORD LC_ALL; exec pg_restore "$@"';
const IN_CONTAINER = ['compose', 'exec', '-T', 'postgres'];

type CommandOf = (args: string[]) => RestoreCommand;

/** A local pg_restore. Connection and password are passed in the environment: other users can read arguments. */
export function localRestoreTool(
  { path, version }: { path: string; version: string },
  connection: PostgresConnection,
): RestoreTool {
  const { host, port, user, password } = connection;
  const env: Record<string, string> = {
    PGHOST: host,
    PGPORT: String(port),
    PGUSER: user,
    ...(password === undefined ? {} : { PGPASSWORD: password }),
  };
  return restoreTool(
    `pg_restore ${version} (${path})`,
    async () => version,
    (args) => ({ program: path, args, env }),
  );
}

/** The pg_restore of the installation's PostgreSQL container, through Docker Compose. */
export function composeRestoreTool(dir: string, user: string): RestoreTool {
  const version = async (options?: CallOptions) => {
    const args = [...IN_CONTAINER, 'pg_restore', '--version'];
    const found = await programVersion('docker', args, { ...options, cwd: dir });
    if (found !== undefined) return found;
    throw new BifractError(
      'PROGRAM_MISSING',
      'No pg_restore in the container postgres, or Docker does not respond',
      { hint: 'Check that the containers are running (docker compose ps).' },
    );
  };
  return restoreTool('pg_restore in the container postgres', version, (args) => ({
    program: 'docker',
    args: [...IN_CONTAINER, 'sh', '-c', PRINT_PID, 'pg_restore', '--username', user, ...args],
    env: {},
    cwd: dir,
    endRemote: async (pid) => void (await docker([...IN_CONTAINER, 'kill', '-TERM', String(pid)], dir)),
  }));
}

/**
 * Selects a pg_restore: a local one of the server's major version, else the container's, else a newer local one.
 * `PROGRAM_MISSING`, `PROGRAM_TOO_OLD`.
 */
export async function findRestoreTool(target: DumpTarget, options?: CallOptions): Promise<RestoreTool> {
  const { connection, server_version, compose_dir } = target;
  const programs = await restorePrograms(options);
  const best = bestFor(server_version, programs);
  if (best && (majorOf(best.version) === majorOf(server_version) || compose_dir === undefined))
    return localRestoreTool(best, connection);
  if (compose_dir !== undefined) return composeRestoreTool(compose_dir, connection.user);
  const hint = `Install the PostgreSQL client programs, version ${majorOf(server_version)} or newer.`;
  if (programs.length === 0)
    throw new BifractError('PROGRAM_MISSING', 'No pg_restore found on this machine', { hint });
  const found = programs.map(({ version }) => version).join(', ');
  throw new BifractError(
    'PROGRAM_TOO_OLD',
    `pg_restore ${found} is older than the server (${server_version})`,
    { hint },
  );
}

/** The pg_restore next to each pg_dump. */
async function restorePrograms(options?: CallOptions) {
  const found = await findPgDump(options);
  const programs = await Promise.all(
    found.map(async ({ path }) => {
      const pgRestore = join(dirname(path), 'pg_restore');
      const version = await programVersion(pgRestore, ['--version'], options);
      return version === undefined ? [] : [{ path: pgRestore, version }];
    }),
  );
  return programs.flat();
}

function restoreTool(location: string, version: RestoreTool['version'], commandOf: CommandOf): RestoreTool {
  return {
    location,
    version,
    async contents(dump, options) {
      const result = requireProgram(location, await runWithInput(commandOf(['--list']), dump, options));
      if (result.ok) return parseContents(result.stdout);
      throw new BifractError('UNSUPPORTED', `${location} cannot read the dump: ${result.errorText}`, {
        hint: 'A dump of a newer pg_dump needs a pg_restore of the same version or newer.',
      });
    },
    async restore(dump, { database, no_owner, ...options }: DumpRestoreOptions) {
      const owner = no_owner ? ['--no-owner', '--no-privileges'] : [];
      const args = ['--exit-on-error', '--verbose', '--no-password', ...owner, '--dbname', database];
      const result = requireProgram(location, await runWithInput(commandOf(args), dump, options));
      if (result.ok) return;
      throw new BifractError('RESTORE_FAILED', `${location} failed: ${result.errorText}`, {
        hint: 'Nothing was replaced. See the message above and the PostgreSQL log.',
      });
    },
  };
}

function requireProgram(location: string, result: RestoreResult): RestoreResult {
  if (!result.missing) return result;
  throw new BifractError('PROGRAM_MISSING', `Cannot start ${location}`, {
    hint: 'The program is gone. Check the installation of the PostgreSQL client programs, then try again.',
  });
}
