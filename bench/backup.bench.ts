import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { startDemo } from '../bin/demo/installation.ts';
import type { PostgresServer } from '../bin/demo/postgres.ts';
import { queryPostgres } from '../bin/demo/query.ts';
import { formatBytes } from '../src/components/view/units.ts';
import type { Bench } from './run.ts';
import { measure, PROGRAM, type Run } from './tools/program.ts';

/** Some 600 MB of text and JSON, with an index. */
const TABLES = `
  CREATE TABLE bench_notes AS
  SELECT n AS id, now() - n * interval '1 second' AS at, jsonb_build_object('host', 'host-' || n % 400, 'n', n) AS doc,
         repeat('alert ' || md5((n % 5000)::text) || ' on host-' || n % 400 || ' ', 10) || md5((n * 7)::text) AS body
  FROM generate_series(1, 900000) AS n;
  ALTER TABLE bench_notes ADD PRIMARY KEY (id)`;

export const bench: Bench = {
  title: 'backup, drill and restore of a PostgreSQL database, beside pg_dump and pg_restore by themselves',
  async run() {
    const demo = await startDemo({ scale: 0 });
    try {
      const { postgres, dir } = demo;
      await queryPostgres(postgres, TABLES);
      const env = { ...process.env, BIFRACT_DIR: dir, PATH: `${postgres.bin}:${process.env.PATH}` };
      const ours = (...args: string[]) => measure(process.execPath, [PROGRAM, ...args, '--json'], env);
      const backup = await ours('backup');
      const [file = ''] = await readdir(join(dir, 'backups'));
      const { size } = await stat(join(dir, 'backups', file));
      const dump = join(dir, 'plain.dump');
      const plain = await theirs(postgres, 'pg_dump', ['-Fc', '-d', postgres.database, '-f', dump]);
      const rows = [
        row('bifract backup', backup, size),
        row('pg_dump -Fc (gzip, no encryption)', plain, (await stat(dump)).size),
        row('bifract restore --drill', await ours('restore', file, '--drill')),
        row(
          'bifract restore (read, restored, compared, replaced)',
          await ours('restore', file, '--yes', '--no-safety-backup'),
        ),
      ];
      await queryPostgres(postgres, 'CREATE DATABASE plain');
      rows.push(row('pg_restore', await theirs(postgres, 'pg_restore', ['-d', 'plain', dump])));
      return rows;
    } finally {
      await demo.stop();
    }
  },
};

function theirs(
  { host, port, user, password, bin }: PostgresServer,
  program: string,
  args: string[],
): Promise<Run> {
  const env = { PGHOST: host, PGPORT: String(port), PGUSER: user, PGPASSWORD: password };
  return measure(join(bin, program), args, { ...process.env, ...env });
}

function row(what: string, { seconds, peak_rss }: Run, size?: number): Record<string, string> {
  return {
    what,
    seconds: seconds.toFixed(1),
    stored: size === undefined ? '' : formatBytes(size),
    'peak memory': formatBytes(peak_rss),
  };
}
