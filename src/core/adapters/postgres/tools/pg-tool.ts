import { readdir } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import type { PostgresConnection } from '../../../config/settings.ts';
import { BifractError, type ErrorCode } from '../../../contract/errors.ts';
import type { CallOptions } from '../../../ports/types.ts';
import { docker } from '../../docker/compose.ts';
import { toolOptions } from '../session-options.ts';
import { tlsEnvironment } from '../tls.ts';

type ProgramName = 'pg_dump' | 'pg_restore';

/** A client program of PostgreSQL, local or in a container, set up for one connection. */
export interface PgTool {
  /** For display: which program, and where. */
  readonly location: string;
  /** Version of the program, as `15.18`. */
  version(options?: CallOptions): Promise<string>;
  start(args: string[], options: StartOptions): Promise<PgProcess>;
}

/** `onTable` is called with each table when its data begins; that needs `--verbose`. */
export type StartOptions = CallOptions & { onTable?: (table: string) => void };

/** What a program is selected for. */
export interface PgTarget {
  connection: PostgresConnection;
  /** Version of the server, such as `16.4` or `PostgreSQL 16.4`. */
  server_version: string;
  /** The installation directory if its PostgreSQL runs in a container, else undefined. */
  compose_dir: string | undefined;
}

/**
 * Selects a program: a local one of the server's major version, else the container's, else a newer local one.
 * `PROGRAM_MISSING`, `PROGRAM_TOO_OLD`.
 */
export async function findPgTool(
  name: ProgramName,
  { connection, server_version, compose_dir }: PgTarget,
  options?: CallOptions,
): Promise<PgTool> {
  const programs = await findPrograms(name, options);
  const best = bestFor(server_version, programs);
  if (best && (majorOf(best.version) === majorOf(server_version) || compose_dir === undefined))
    return localTool(name, best, connection, server_version);
  if (compose_dir !== undefined) return composeTool(name, compose_dir, connection, server_version);
  const hint = `Install the PostgreSQL client programs, version ${majorOf(server_version)} or newer.`;
  if (programs.length === 0)
    throw new BifractError('PROGRAM_MISSING', `No ${name} found on this machine`, { hint });
  const found = programs.map(({ version }) => version).join(', ');
  throw new BifractError('PROGRAM_TOO_OLD', `${name} ${found} is older than the server (${server_version})`, {
    hint,
  });
}

/** A local program. */
interface PgProgram {
  path: string;
  /** For example `15.18`. */
  version: string;
}

/** The working directory of this process may be removed while it runs. */
const ANYWHERE = '/';
const DEBIAN = '/usr/lib/postgresql';

/** All local programs of a name: in `PATH`, and in Debian's folders for each version. */
export async function findPrograms(name: ProgramName, options?: CallOptions): Promise<PgProgram[]> {
  const folders = [...(await debianFolders()), ...(process.env.PATH ?? '').split(delimiter)].filter(Boolean);
  const paths = [...new Set(folders.map((folder) => join(folder, name)))];
  const versions = await Promise.all(paths.map((path) => programVersion(path, ['--version'], options)));
  return paths.flatMap((path, index) => {
    const version = versions[index];
    return version === undefined ? [] : [{ path, version }];
  });
}

async function debianFolders(): Promise<string[]> {
  const versions = await readdir(DEBIAN).catch(() => []);
  return versions.map((version) => join(DEBIAN, version, 'bin'));
}

/**
 * The best program for a server: the newest release of the lowest major version that is not older than the server. An
 * older program cannot dump it, and the dumps of a much newer one cannot be read by the server's own pg_restore.
 */
export function bestFor(server_version: string, programs: PgProgram[]): PgProgram | undefined {
  const server = majorOf(server_version);
  const fit = programs.filter(({ version }) => majorOf(version) >= server);
  return fit.sort(
    (a, b) => majorOf(a.version) - majorOf(b.version) || minorOf(b.version) - minorOf(a.version),
  )[0];
}

/** The major version, also with a name in front of it. */
function majorOf(version: string): number {
  return Number(/\d+/.exec(version)?.[0]);
}

function minorOf(version: string): number {
  return Number.parseInt(version.split('.')[1] ?? '0', 10);
}

/** Undefined if the program does not exist. */
async function programVersion(
  program: string,
  args: string[],
  { signal, cwd = ANYWHERE }: CallOptions & { cwd?: string } = {},
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

/**
 * What a local program gets of this process's environment: where programs and the user's files are, and how to log in.
 * libpq has variables that select another server, encoding or mode (`PGSERVICE`, `PGHOSTADDR`, `PGOPTIONS`, …), which our
 * own connection does not follow; the row counts and the dump would be of two databases.
 */
const INHERITED = [
  'HOME',
  'KRB5CCNAME',
  'KRB5_CONFIG',
  'LD_LIBRARY_PATH',
  'LOGNAME',
  'PATH',
  'PGKRBSRVNAME',
  'PGPASSFILE',
  'PGPASSWORD',
  'TMPDIR',
  'USER',
];

/**
 * The whole environment of a local pg_dump or pg_restore. Connection and password are passed in it: other users can read
 * arguments.
 */
export function toolEnvironment(
  name: ProgramName,
  { host, port, user, database, password }: PostgresConnection,
  server_version: string,
  inherited: NodeJS.ProcessEnv = process.env,
): Record<string, string> {
  const kept = INHERITED.flatMap((name) => (inherited[name] ? [[name, inherited[name]]] : []));
  return {
    ...Object.fromEntries(kept),
    PGHOST: host,
    PGPORT: String(port),
    PGUSER: user,
    PGDATABASE: database,
    PGOPTIONS: toolOptions(name, majorOf(server_version)),
    ...(password === undefined ? {} : { PGPASSWORD: password }),
  };
}

/** A local program, for a server of a version. */
export function localTool(
  name: ProgramName,
  { path, version }: PgProgram,
  connection: PostgresConnection,
  server_version = '',
): PgTool {
  return {
    location: `${name} ${version} (${path})`,
    version: async () => version,
    async start(args, options) {
      const tls = await tlsEnvironment(connection, majorOf(version));
      const env = { ...toolEnvironment(name, connection, server_version), ...tls };
      return startProcess({ program: path, args, env }, options);
    },
  };
}

const IN_CONTAINER = ['compose', 'exec', '-T', 'postgres'];

/**
 * Prints its process id before it becomes the program, so that it can be ended from outside: a process in a container
 * outlives the client that started it. Uses the password of the image for local connections that require one. Of libpq's
 * variables only those that say where the server is and how to log in stay.
 */
const PRINT_PID = [
  'echo "bifract pid $$" >&2',
  `for name in $(env | sed -n 's/^\\(PG[A-Z]*\\)=.*/\\1/p'); do
    case $name in PGHOST | PGPORT | PGPASSWORD | PGPASSFILE) ;; *) unset "$name" ;; esac
  done`,
  '[ -n "$PGPASSWORD" ] || PGPASSWORD=$POSTGRES_PASSWORD',
  'PGUSER=$1 PGDATABASE=$2 PGOPTIONS=$3 LC_ALL=C',
  'export PGPASSWORD PGUSER PGDATABASE PGOPTIONS LC_ALL',
  'shift 3',
  'exec "$0" "$@"',
].join('; ');

/** The program in the installation's PostgreSQL container, through Docker Compose. */
export function composeTool(
  name: ProgramName,
  dir: string,
  { user, database }: { user: string; database: string },
  server_version = '',
): PgTool {
  const settings = [user, database, toolOptions(name, majorOf(server_version))];
  const command = (args: string[]): Command => ({
    program: 'docker',
    args: [...IN_CONTAINER, 'sh', '-c', PRINT_PID, name, ...settings, ...args],
    // Compose reads the variables of its file from here; the container does not get them.
    env: process.env,
    cwd: dir,
    endRemote: async (pid) => void (await docker([...IN_CONTAINER, 'kill', '-TERM', String(pid)], dir)),
  });
  return {
    location: `${name} in the container postgres`,
    async version(options) {
      const args = [...IN_CONTAINER, name, '--version'];
      const version = await programVersion('docker', args, { ...options, cwd: dir });
      if (version !== undefined) return version;
      throw new BifractError(
        'PROGRAM_MISSING',
        `No ${name} in the container postgres, or Docker does not respond`,
        { hint: 'Check that the containers are running (docker compose ps).' },
      );
    },
    start: (args, options) => startProcess(command(args), options),
  };
}

/** How to run a program: its arguments and its whole environment. */
interface Command {
  program: string;
  args: string[];
  env: NodeJS.ProcessEnv;
  cwd?: string;
  /** Ends the program by the process id that it printed, if ending the local process is not enough. */
  endRemote?: (pid: number) => Promise<void>;
}

/** How a program ended. */
export interface PgResult {
  /** It exited by itself with code 0. */
  ok: boolean;
  /** The program does not exist. */
  missing: boolean;
  /** Its error messages, or how it ended. */
  errorText: string;
}

/**
 * A running program. The signal ends it, even while its reader is blocked by a slow disk; so does leaving the scope of an
 * `await using`. In a container it is ended there too.
 */
export interface PgProcess extends AsyncDisposable {
  readonly stdin: Writable;
  readonly stdout: Readable;
  /** Never rejects. */
  readonly ended: Promise<PgResult>;
  /** Undefined while it is running. */
  result(): PgResult | undefined;
}

const GRACE_MS = 5_000;

async function startProcess(command: Command, { signal, onTable }: StartOptions): Promise<PgProcess> {
  signal?.throwIfAborted();
  const { execa } = await import('execa');
  const child = execa(command.program, command.args, {
    cwd: command.cwd ?? ANYWHERE,
    env: { ...command.env, LC_ALL: 'C' },
    extendEnv: false,
    stdin: 'pipe',
    buffer: false,
    encoding: 'buffer',
    reject: false,
    forceKillAfterDelay: GRACE_MS,
  });
  child.stdin.on('error', () => undefined);
  // What the program leaves running, such as the shared connection of an ssh client, may hold on to its standard error.
  const releaseStderr = () => setTimeout(() => child.stderr.destroy(), GRACE_MS).unref();
  child.nodeChildProcess.once('exit', releaseStderr);
  const messages = new ProgramMessages(child.stderr, onTable);
  let result: PgResult | undefined;
  const ended = child.then(async ({ failed, shortMessage, code }) => {
    await messages.closed;
    // The rest of the message is the command line.
    const errorText = messages.errorText() || (shortMessage ?? '').replace(/: .*$/s, '');
    result = { ok: !failed, missing: code === 'ENOENT', errorText };
    return result;
  });
  let ending: Promise<void> | undefined;
  const end = () => {
    ending ??= endOnce();
    return ending;
  };
  const endOnce = async () => {
    if (!result?.ok) await endRemotely(command, messages.pid, ended);
    child.kill('SIGTERM');
    child.stdin.destroy();
    child.stdout.destroy();
    await ended;
  };
  const onAbort = () => void end();
  signal?.addEventListener('abort', onAbort, { once: true });
  return {
    stdin: child.stdin,
    stdout: child.stdout,
    ended,
    result: () => result,
    [Symbol.asyncDispose]: () => {
      signal?.removeEventListener('abort', onAbort);
      return end();
    },
  };
}

/** Ends a program in a container, once it has printed its process id. */
async function endRemotely(
  { endRemote }: Command,
  printed: Promise<number | undefined>,
  ended: Promise<unknown>,
): Promise<void> {
  if (!endRemote) return;
  const timeout = wait(GRACE_MS, undefined, { ref: false });
  const pid = await Promise.race([printed, timeout, ended.then(() => undefined)]);
  if (pid !== undefined) await endRemote(pid);
}

/** The error of a program that failed; `what` completes the sentence that begins with its location. */
export function programError(
  { location }: PgTool,
  { missing, errorText }: PgResult,
  code: ErrorCode,
  { what, hint }: { what: string; hint: string },
): BifractError {
  if (missing)
    return new BifractError('PROGRAM_MISSING', `Cannot start ${location}`, {
      hint: 'The program is gone. Check the installation of the PostgreSQL client programs, then try again.',
    });
  return new BifractError(code, `${location} ${what}: ${errorText}`, { hint });
}

const MAX_LINES = 20;
const MAX_LENGTH = 2000;
const PID = /^bifract pid (\d+)$/;
const TABLE = /^pg_(?:dump: dumping contents of|restore: processing data for) table "(.+)"$/;
const NAMED = /^pg_(dump|restore): /;
const ERROR = /^pg_(dump|restore): (error|fatal|detail|hint|warning|\[)/;

/**
 * Parses what a program writes to standard error, which must be in English: its process id if the shell that started it
 * printed that, the tables, and errors.
 */
export class ProgramMessages {
  /** Process id, inside its container if it has one; undefined if the process ended without printing it. */
  readonly pid: Promise<number | undefined>;
  /** Resolves when everything has been read. */
  readonly closed: Promise<void>;
  readonly #errors: string[] = [];
  /** Lines after the last error that are neither an error nor a message of the program. */
  readonly #others: string[] = [];
  #inError = true;

  constructor(stderr: Readable, onTable: ((table: string) => void) | undefined) {
    const { promise, resolve } = Promise.withResolvers<number | undefined>();
    this.pid = promise;
    const lines = createInterface({ input: stderr });
    lines.on('line', (line) => {
      const pid = PID.exec(line)?.[1];
      const table = TABLE.exec(line)?.[1];
      if (pid !== undefined) resolve(Number(pid));
      else if (table !== undefined) onTable?.(table);
      else this.#keepErrors(line);
    });
    // A stream that is destroyed has no end.
    stderr.once('close', () => lines.close());
    const closed = Promise.withResolvers<void>();
    this.closed = closed.promise;
    lines.on('close', () => {
      resolve(undefined);
      closed.resolve();
    });
  }

  /** The last error lines, and what another program, such as a container client, may have said after them; as one text. */
  errorText(): string {
    return [...this.#errors, ...this.#others].join('\n').slice(-MAX_LENGTH);
  }

  /** A line without the program's name continues the previous one, or comes from another program. */
  #keepErrors(line: string): void {
    if (NAMED.test(line)) this.#inError = ERROR.test(line);
    if (line.trim() === '' || (NAMED.test(line) && !this.#inError)) return;
    if (this.#inError) this.#others.length = 0;
    const lines = this.#inError ? this.#errors : this.#others;
    lines.push(line);
    if (lines.length > MAX_LINES) lines.shift();
  }
}
