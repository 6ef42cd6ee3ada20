import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import type { DumpContents, RestoreTool } from '../../../ports/database-server.ts';
import type { CallOptions } from '../../../ports/types.ts';
import {
  findPgTool,
  type PgProcess,
  type PgResult,
  type PgTarget,
  type PgTool,
  programError,
  type StartOptions,
} from './pg-tool.ts';

/** The pg_restore for a server. `PROGRAM_MISSING`, `PROGRAM_TOO_OLD`. */
export async function findRestoreTool(target: PgTarget, options?: CallOptions): Promise<RestoreTool> {
  return restoreTool(await findPgTool('pg_restore', target, options));
}

export function restoreTool(tool: PgTool): RestoreTool {
  return {
    location: tool.location,
    version: tool.version,
    async contents(dump, options = {}) {
      const { result, stdout } = await run(tool, ['--list'], dump, options);
      if (result.ok) return parseContents(stdout);
      throw programError(tool, result, 'UNSUPPORTED', {
        what: 'cannot read the dump',
        hint: 'A dump made by a newer pg_dump needs a pg_restore of the same version or newer.',
      });
    },
    async restore(dump, { database, no_owner, no_privileges, no_tablespaces, ...options }) {
      const omit = [
        ...(no_owner ? ['--no-owner'] : []),
        ...(no_owner || no_privileges ? ['--no-privileges'] : []),
        ...(no_tablespaces ? ['--no-tablespaces'] : []),
      ];
      const args = ['--exit-on-error', '--verbose', '--no-password', ...omit, '--dbname', database];
      const { result } = await run(tool, args, dump, options);
      if (result.ok) return;
      throw programError(tool, result, 'RESTORE_FAILED', {
        what: 'failed',
        hint: 'Nothing was replaced. See the message above and the PostgreSQL log.',
      });
    },
  };
}

/**
 * Runs pg_restore with the dump. Reads the dump to its end even if the program stops reading, unless it failed. An error
 * of the dump is thrown after the program has been ended.
 */
async function run(
  tool: PgTool,
  args: string[],
  dump: AsyncIterable<Buffer>,
  options: StartOptions,
): Promise<{ result: PgResult; stdout: string }> {
  await using running = await tool.start(args, options);
  const stdout = text(running.stdout).catch(() => '');
  for await (const piece of dump) {
    if (running.result()?.ok === false) break;
    await write(running, piece);
  }
  options.signal?.throwIfAborted();
  running.stdin.end();
  const result = await running.ended;
  options.signal?.throwIfAborted();
  return { result, stdout: await stdout };
}

/** Waits for a slow program. Discards the data if the program no longer reads. */
async function write({ stdin, ended }: PgProcess, piece: Buffer): Promise<void> {
  if (stdin.destroyed || stdin.writableEnded || stdin.write(piece)) return;
  const settled = new AbortController();
  const writable = ['drain', 'close'].map((event) =>
    once(stdin, event, { signal: settled.signal }).catch(() => undefined),
  );
  await Promise.race([...writable, ended]);
  settled.abort();
}

const PROPERTY = /^;\s+([^:]+): (.*)$/;
const ENTRY = /^\d+; \d+ \d+ (.*)$/;
/**
 * pg_restore separates names by single spaces and does not quote them, so a space in the name of a schema is ambiguous.
 * This list is for display; comparisons use the manifest.
 */
const TABLE_DATA = /^TABLE DATA (\S+) (.+) \S+$/;

/** Parses the output of `pg_restore --list`. */
export function parseContents(list: string): DumpContents {
  const contents: DumpContents = {
    server_version: null,
    pg_dump_version: null,
    database: null,
    tables: [],
  };
  for (const line of list.split('\n')) {
    const [, name, value = ''] = PROPERTY.exec(line) ?? [];
    if (name === 'dbname') contents.database = value;
    if (name === 'Dumped from database version') contents.server_version = version(value);
    if (name === 'Dumped by pg_dump version') contents.pg_dump_version = version(value);
    const entry = ENTRY.exec(line)?.[1];
    if (entry === undefined) continue;
    const [, schema, table] = TABLE_DATA.exec(entry) ?? [];
    if (schema !== undefined && table !== undefined) contents.tables.push({ schema, name: table });
  }
  return contents;
}

function version(text: string): string | null {
  return text.split(' ')[0] || null;
}
