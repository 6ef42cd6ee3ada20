import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { PostgresServer } from '../../bin/demo/postgres.ts';

const run = promisify(execFile);

/** A whole database as plain SQL from pg_dump, to compare two databases. */
export async function dumpText(
  { host, port, user, password, bin }: PostgresServer,
  database: string,
  options: readonly string[] = [],
): Promise<string> {
  const { stdout } = await run(join(bin, 'pg_dump'), ['-d', database, ...options], {
    env: { PGHOST: host, PGPORT: String(port), PGUSER: user, PGPASSWORD: password, PATH: process.env.PATH },
    maxBuffer: 2 ** 30,
  });
  // These lines hold a random token.
  return stdout.replaceAll(/^\\(un)?restrict .*$/gm, '');
}

/** Throws with the first lines that differ. */
export function assertSameDump(actual: string, expected: string): void {
  const [actualLines, expectedLines] = [actual.split('\n'), expected.split('\n')];
  const at = expectedLines.findIndex((line, index) => line !== actualLines[index]);
  if (at < 0 && actualLines.length === expectedLines.length) return;
  const from = at < 0 ? expectedLines.length : at;
  const around = (lines: string[]) => lines.slice(Math.max(0, from - 6), from + 6).join('\n');
  throw new Error(
    `Line ${from + 1} differs:\n${around(actualLines)}\n--- expected ---\n${around(expectedLines)}`,
  );
}
