import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { startDemo } from '../bin/demo/installation.ts';
import type { PostgresServer } from '../bin/demo/postgres.ts';
import { queryPostgres } from '../bin/demo/query.ts';
import { formatBytes } from '../src/core/text/units.ts';
import type { Bench } from './run.ts';
import { dumpAge, isInstalled } from './tools/plain-programs.ts';
import { measure, PROGRAM, type Run } from './tools/program.ts';

/** Some 600 MB of text and JSON, with an index. */
const TABLES = `
  CREATE TABLE bench_notes AS
  SELECT n AS id, now() - n * interval '1 second' AS at, jsonb_build_object('host', 'host-' || n % 400, 'n', n) AS doc,
         repeat('alert ' || md5((n % 5000)::text) || ' on host-' || n % 400 || ' ', 10) || md5((n * 7)::text) AS body
  FROM generate_series(1, 900000) AS n;
  ALTER TABLE bench_notes ADD PRIMARY KEY (id)`;

export const bench: Bench = {
  title:
    'backup, test restore and restore of a PostgreSQL database, compared with plain pg_dump and pg_restore',
  async run() {
    const demo = await startDemo({ generation: 'A', scale: 0 });
    try {
      const { postgres, dir } = demo;
      await queryPostgres(postgres, TABLES);
      const env = { ...process.env, BIFRACT_DIR: dir, PATH: `${postgres.bin}:${process.env.PATH}` };
      const bifract = (...args: string[]) => measure(process.execPath, [PROGRAM, ...args, '--json'], env);
      const backup = await bifract('backup');
      const [file = ''] = await readdir(join(dir, 'backups'));
      const { size } = await stat(join(dir, 'backups', file));
      const dump = join(dir, 'plain.dump');
      const plain = await runPgTool(postgres, 'pg_dump', ['-Fc', '-d', postgres.database, '-f', dump]);
      const own: Measured = { ...backup, size };
      const rows = [
        row('bifract backup', own),
        row('pg_dump -Fc (gzip, no encryption)', { ...plain, size: (await stat(dump)).size }, own),
      ];
      if (await isInstalled('age', '--version')) {
        const sealed = await dumpAge(join(postgres.bin, 'pg_dump'), `${dump}.age`, pgEnv(postgres));
        const measured = { ...sealed, peak_rss: 0, size: (await stat(`${dump}.age`)).size };
        rows.push(row('pg_dump -Fc | age > file', measured, own));
      } else rows.push({ what: 'skipped: age is not installed (apt-get install age)' });
      const drill = await bifract('restore', file, '--drill');
      const restore = await bifract('restore', file, '--yes', '--no-safety-backup');
      await queryPostgres(postgres, 'CREATE DATABASE plain');
      const restored = await runPgTool(postgres, 'pg_restore', ['-d', 'plain', dump]);
      rows.push(row('bifract restore --drill', drill));
      rows.push(row('bifract restore (reads, restores, compares, replaces)', restore));
      rows.push(row('pg_restore', restored, restore));
      return rows;
    } finally {
      await demo.stop();
    }
  },
};

function runPgTool(postgres: PostgresServer, program: string, args: string[]): Promise<Run> {
  return measure(join(postgres.bin, program), args, pgEnv(postgres));
}

function pgEnv({ host, port, user, password, database }: PostgresServer): NodeJS.ProcessEnv {
  const names = { PGHOST: host, PGPORT: String(port), PGUSER: user, PGPASSWORD: password };
  return { ...process.env, ...names, PGDATABASE: database };
}

type Measured = Run & { size?: number };

/** `own`: the result of bifract to compare this one with. */
function row(what: string, { seconds, peak_rss, size }: Measured, own?: Measured): Record<string, string> {
  const ratio = (a: number, b: number) => `${((100 * a) / b).toFixed(0)} %`;
  return {
    what,
    seconds: seconds.toFixed(1),
    'bifract speed': own ? ratio(seconds, own.seconds) : '',
    stored: size === undefined ? '' : formatBytes(size),
    'bifract size': own?.size && size ? ratio(own.size, size) : '',
    'peak memory': peak_rss > 0 ? formatBytes(peak_rss) : '',
  };
}
