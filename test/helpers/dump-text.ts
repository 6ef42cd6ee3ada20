import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { PostgresServer } from '../../bin/demo/postgres.ts';

const run = promisify(execFile);

/** All of a database as pg_dump writes it in plain SQL: two databases are equal where their texts are. */
export async function dumpText(
  { host, port, user, password, bin }: PostgresServer,
  database: string,
): Promise<string> {
  const { stdout } = await run(join(bin, 'pg_dump'), ['-d', database], {
    env: { PGHOST: host, PGPORT: String(port), PGUSER: user, PGPASSWORD: password, PATH: process.env.PATH },
    maxBuffer: 2 ** 30,
  });
  // A random word in each dump guards psql's own commands.
  return stdout.replaceAll(/^\\(un)?restrict .*$/gm, '');
}

/** The text, short. */
export async function dumpDigest(server: PostgresServer, database: string): Promise<string> {
  return createHash('sha256')
    .update(await dumpText(server, database))
    .digest('hex')
    .slice(0, 16);
}

/** Fails with the first lines that differ, not with all of both. */
export function sameDump(actual: string, expected: string): void {
  const [ours, theirs] = [actual.split('\n'), expected.split('\n')];
  const at = theirs.findIndex((line, index) => line !== ours[index]);
  if (at < 0 && ours.length === theirs.length) return;
  const from = at < 0 ? theirs.length : at;
  const around = (lines: string[]) => lines.slice(Math.max(0, from - 6), from + 6).join('\n');
  throw new Error(`Line ${from + 1} differs:\n${around(ours)}\n--- instead of ---\n${around(theirs)}`);
}
