import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, test } from 'node:test';
import pg from 'pg';
import { postgresDatabase } from '../../../../src/core/adapters/postgres/snapshot.ts';
import { findDumpTool } from '../../../../src/core/adapters/postgres/tools/pg-dump.ts';
import { BifractError } from '../../../../src/core/contract/errors.ts';
import { backup } from '../../../../src/core/features/backup/backup.ts';
import type { BackupSummary } from '../../../../src/core/features/backup/contract.ts';
import { verifyFile } from '../../../../src/core/features/inspect/verify-file.ts';
import { readContent, splitBackup } from '../../../../src/core/format/index.ts';
import type { Database, DumpTool } from '../../../../src/core/ports/database.ts';
import { Dice } from '../../../fuzz/mutations.ts';
import { DEPENDENT_OBJECTS_SQL, TABLES_SQL } from '../../../helpers/all-object-kinds.ts';
import { DumpFile } from '../../../helpers/dump-file.ts';
import { EVERY_TYPE_SQL, MISSING_TYPES_SQL } from '../../../helpers/every-type.ts';
import { FakeDumpTool, FakeState, jobContext } from '../../../helpers/fake-ports.ts';
import { fakeServices } from '../../../helpers/fake-services.ts';
import { MemoryStorage } from '../../../helpers/memory-storage.ts';
import { KEY } from '../../../helpers/sealed.ts';
import { testServices } from '../../../helpers/services.ts';
import { collect } from '../../../helpers/streams.ts';
import { storedTarget } from '../../../helpers/targets.ts';

const { postgres, sql } = await testServices();
const { host, port } = postgres;

interface Site {
  host: string;
  port: number;
  user: string;
  password: string;
  database: string;
}

let count = 0;

/** A database of its own and its owner, who both have these settings. */
async function site(encoding: string, statements: string | string[], settings: Record<string, string> = {}) {
  const database = `c_${randomBytes(4).toString('hex')}_${++count}`;
  await sql(`CREATE ROLE ${database} LOGIN SUPERUSER PASSWORD 'secret'`);
  await sql(
    `CREATE DATABASE ${database} OWNER ${database} TEMPLATE template0 LOCALE 'C' ENCODING '${encoding}'`,
  );
  after(async () => {
    await sql(`DROP DATABASE ${database} WITH (FORCE)`);
    await sql(`DROP ROLE ${database}`);
  });
  const connection: Site = { host, port, user: database, password: 'secret', database };
  const client = new pg.Client({ ...connection, client_encoding: 'UTF8' });
  await client.connect();
  for (const one of [statements].flat()) await client.query(one);
  await client.end();
  for (const [index, [name, value]] of Object.entries(settings).entries())
    await sql(`ALTER ${index % 2 ? 'ROLE' : 'DATABASE'} ${database} SET ${name} = ${value}`);
  return connection;
}

interface Options {
  /** What becomes of the output of pg_dump. */
  change?: (dump: Buffer) => Buffer;
  /** Written in place of pg_dump, and what it writes without data. */
  dump?: Buffer;
  definitions?: Buffer;
  /** In place of the backup's own limit. */
  checksum_bytes?: number;
}

function toolThatWrites(dump: Buffer, definitions?: Buffer): DumpTool {
  return Object.assign(new FakeDumpTool(), { content: [dump] }, definitions && { definitions });
}

/** The real pg_dump; its output may be changed. */
async function realTool(connection: Site, change: Options['change']): Promise<DumpTool> {
  const { version } = postgres;
  const tool = await findDumpTool({ connection, server_version: version, compose_dir: undefined });
  if (!change) return tool;
  return {
    ...tool,
    async *dump(options) {
      const dump = await collect(tool.dump(options));
      yield options.only_definitions ? dump : change(dump);
    },
  };
}

/** Backs up a database by the real pg_dump into memory. */
async function backUp(connection: Site, { change, dump, definitions, checksum_bytes }: Options = {}) {
  const real = postgresDatabase(connection);
  const database: Database = {
    async snapshot(options) {
      const snapshot = await real.snapshot(options);
      if (checksum_bytes === undefined) return snapshot;
      return { ...snapshot, tables: (given) => snapshot.tables({ ...given, checksum_bytes }) };
    },
  };
  const backups = new MemoryStorage();
  const services = fakeServices({
    database,
    dumpTool: dump ? toolThatWrites(dump, definitions) : await realTool(connection, change),
    backups,
    state: new FakeState(),
    key: KEY,
    variables: {},
    installation: { dir: '', key_id: null, storage: '', read_only: false, version: '1.0.0' },
  });
  const outcome: BackupSummary | BifractError = await backup(
    services,
    { kind: 'backup' },
    jobContext(),
  ).catch((error: unknown) => {
    assert.ok(error instanceof BifractError, String(error));
    return error;
  });
  const [object] = await Array.fromAsync(backups.list(''));
  assert.equal(object !== undefined, !(outcome instanceof BifractError));
  return { outcome, file: object && (await backups.read(object.name, 0, object.size_bytes)) };
}

/** A backup that must be made. */
async function sealed(connection: Site, options?: Options) {
  const { outcome, file } = await backUp(connection, options);
  assert.ok(!(outcome instanceof BifractError) && file, String(outcome));
  return { summary: outcome, file };
}

/** The code that a backup is refused with; undefined if it is made. */
async function refusal(connection: Site, options: Options): Promise<string | undefined> {
  const { outcome } = await backUp(connection, options);
  return outcome instanceof BifractError ? outcome.code : undefined;
}

/** Flips a bit of a row of a table. */
function flipIn(dump: Buffer, table: string, dice = new Dice(1)): Buffer {
  const rows = DumpFile.parse(dump).rowsOf(table);
  const row = rows[dice.below(rows.length)] as string;
  const at = dump.indexOf(row, 0, 'latin1');
  assert.ok(row.length > 0 && at > 0, table);
  const flipped = Buffer.from(dump);
  const byte = at + dice.below(row.length);
  flipped[byte] = (flipped[byte] as number) ^ (1 << dice.below(8));
  return flipped;
}

/** Settings that change how values are written, each other than pg_dump's or the default. */
const SETTINGS = {
  timezone: "'Asia/Kolkata'",
  intervalstyle: 'iso_8601',
  datestyle: "'SQL, DMY'",
  bytea_output: 'escape',
  extra_float_digits: '-15',
  client_encoding: 'LATIN1',
  quote_all_identifiers: 'on',
  search_path: 'nowhere',
  xmlbinary: 'hex',
  xmloption: 'document',
  standard_conforming_strings: 'off',
  lc_monetary: "'C'",
  row_security: 'on',
};

const ENCODINGS: Record<string, string> = {
  UTF8: `CREATE TABLE "größe ☃" AS SELECT 'é ☃ 𝄞' AS text; ${TABLES_SQL}`,
  LATIN1: `CREATE TABLE texts AS SELECT 'é ÿ' AS text`,
  // Bytes that are not UTF-8.
  SQL_ASCII: `CREATE TABLE texts AS SELECT E'\\xe9 \\xff' AS text`,
};

for (const [encoding, more] of Object.entries(ENCODINGS)) {
  test(`a dump has the rows of the database, whatever their types and the settings: ${encoding}`, async () => {
    const connection = await site(encoding, `${EVERY_TYPE_SQL} ${more}`, SETTINGS);
    const { summary, file } = await sealed(connection);
    assert.ok(summary.tables >= 6);
    assert.equal(summary.compared_tables, summary.tables);
    const target = await storedTarget(file, { name: summary.name });
    const item = await verifyFile(target, { keys: [KEY], quick: false });
    assert.deepEqual([item.error, item.compared_tables], [undefined, summary.tables]);
    for (const table of ['every_type', 'lists', 'changed'])
      assert.equal(await refusal(connection, { change: (dump) => flipIn(dump, table) }), 'DAMAGED', table);
  });
}

test('that table has every type that a server has', async () => {
  const { database } = await site('UTF8', EVERY_TYPE_SQL);
  const client = new pg.Client({ host, port, user: database, password: 'secret', database });
  await client.connect();
  const { rows } = await client.query<{ name: string }>(MISSING_TYPES_SQL);
  await client.end();
  assert.deepEqual(rows, []);
});

const NOTES = `CREATE TABLE notes AS SELECT i AS id, now() AS at, md5(i::text) AS text FROM generate_series(1, 300) i;
  CREATE TABLE large AS SELECT i AS id, repeat(md5(i::text), 20) AS text FROM generate_series(1, 500) i`;

test('no flipped bit within a value is sealed', async () => {
  const connection = await site('UTF8', NOTES);
  let dump: Buffer | undefined;
  await sealed(connection, { change: (bytes) => (dump = bytes) });
  assert.ok(dump);
  const dice = new Dice(7);
  const codes: Record<string, number> = {};
  for (let round = 0; round < 40; round++) {
    const table = round % 2 ? 'notes' : 'large';
    const code = await refusal(connection, { dump: flipIn(dump, table, dice) });
    codes[code ?? 'sealed'] = (codes[code ?? 'sealed'] ?? 0) + 1;
  }
  const { DAMAGED = 0, ...others } = codes;
  assert.ok(DAMAGED >= 30, JSON.stringify(codes));
  assert.deepEqual(
    Object.keys(others).filter((code) => code !== 'COUNT_DIFFERS'),
    [],
  );
});

/** Entries for data are in no dump without them. */
const OF_DATA = ['TABLE DATA', 'SEQUENCE SET', 'MATERIALIZED VIEW DATA', 'BLOB', 'BLOBS'];

test('no changed or missing definition is sealed, of whatever kind', async () => {
  const connection = await site('UTF8', [TABLES_SQL, DEPENDENT_OBJECTS_SQL, 'SELECT lo_unlink(424242)']);
  const definitions = await collect((await realTool(connection, undefined)).dump({ only_definitions: true }));
  let dump: Buffer | undefined;
  await sealed(connection, { change: (bytes) => (dump = bytes) });
  assert.ok(dump);
  const file = DumpFile.parse(dump);
  const kinds = new Set(file.entries.map(({ kind }) => kind ?? '').filter((kind) => !OF_DATA.includes(kind)));
  assert.ok(kinds.size >= 25, [...kinds].join());
  const dice = new Dice(3);
  for (const kind of kinds) {
    const at = file.entries.findIndex((entry) => entry.kind === kind);
    for (const part of ['tag', 'definition', 'owner', null] as const) {
      const changed = file.clone();
      const entry = changed.entries[at];
      const text = part && entry?.[part];
      if (part && !text) continue;
      if (part && entry && text) entry[part] = text.replace(text[dice.below(text.length)] ?? '', '~');
      else changed.entries.splice(at, 1);
      const code = await refusal(connection, { dump: changed.write(), definitions });
      assert.ok(code === 'DAMAGED' || code === 'CUT_OFF', `${kind}, ${part}: ${code}`);
    }
  }
});

test('a table beyond the limit is only counted', async () => {
  const connection = await site('UTF8', NOTES);
  const limited = { checksum_bytes: 100_000 };
  const { summary, file } = await sealed(connection, limited);
  assert.deepEqual([summary.tables, summary.compared_tables, summary.rows], [2, 1, 800]);
  const { manifest } = await splitBackup(
    readContent(
      (async function* () {
        yield file;
      })(),
      { keys: [KEY] },
    ),
  );
  const checksums = manifest.bifract_console?.tables.map(({ name, crc32 }) => [name, typeof crc32]);
  assert.deepEqual(checksums, [
    ['large', 'undefined'],
    ['notes', 'number'],
  ]);
  const change = (table: string) => (dump: Buffer) => flipIn(dump, table, new Dice(3));
  assert.equal(await refusal(connection, { ...limited, change: change('notes') }), 'DAMAGED');
  assert.equal(await refusal(connection, { ...limited, change: change('large') }), undefined);
  const lossy = (dump: Buffer) => {
    const parsed = DumpFile.parse(dump);
    parsed.setRows('large', parsed.rowsOf('large').slice(1));
    return parsed.write();
  };
  assert.equal(await refusal(connection, { ...limited, change: lossy }), 'COUNT_DIFFERS');
});
