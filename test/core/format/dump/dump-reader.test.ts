import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { before, test } from 'node:test';
import { promisify } from 'node:util';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { postgresDatabase } from '../../../../src/core/adapters/postgres/snapshot.ts';
import { bestFor, findPrograms } from '../../../../src/core/adapters/postgres/tools/pg-tool.ts';
import { BifractError } from '../../../../src/core/contract/errors.ts';
import {
  checkDump,
  type ExpectedContents,
  type ExpectedTable,
} from '../../../../src/core/format/dump/check-dump.ts';
import { type DumpContents, DumpReader } from '../../../../src/core/format/dump/dump-reader.ts';
import { DEPENDENT_OBJECTS_SQL, TABLES_SQL } from '../../../helpers/all-object-kinds.ts';
import { DumpFile } from '../../../helpers/dump-file.ts';
import { testServices } from '../../../helpers/services.ts';

const { postgres, sql } = await testServices();
const { host, port, user, password, database } = postgres;
const run = promisify(execFile);

let dump: Buffer;
let compressed: Buffer;
let inserts: Buffer;
let expected: ExpectedTable[];
let large_objects: number;

before(async () => {
  await sql(TABLES_SQL);
  await sql(DEPENDENT_OBJECTS_SQL);
  await sql(`SELECT lo_from_bytea(0, decode(repeat(md5(i::text), 40), 'hex')) FROM generate_series(1, 20) i`);
  await sql(
    `CREATE TABLE long_rows AS SELECT i, repeat(E'x\\n\\\\.\\n', 30000) AS text FROM generate_series(1, 5) i`,
  );
  for (let table = 0; table < 50; table++)
    await sql(
      `CREATE TABLE many_${table} AS SELECT i, repeat(md5(i::text), 8) AS text FROM generate_series(1, ${table * 20}) i`,
    );
  const snapshot = await postgresDatabase({ host, port, user, password, database }).snapshot();
  expected = await snapshot.tables({ checksum_bytes: 1 << 30 });
  large_objects = snapshot.large_objects;
  const from = (...args: string[]) => pgDump(['-Fc', `--snapshot=${snapshot.id}`, ...args]);
  dump = await from('-Z', '0');
  compressed = await from('-Z', '6');
  inserts = await from('-Z', '0', '--inserts');
  await snapshot.close();
});

async function pgDump(args: string[]): Promise<Buffer> {
  const program = bestFor('1', await findPrograms('pg_dump'))?.path as string;
  const env = { ...process.env, PGHOST: host, PGPORT: String(port), PGUSER: user, PGPASSWORD: password };
  const options = { env, encoding: 'buffer', maxBuffer: 1 << 28 } as const;
  return (await run(program, [...args, '-d', database], options)).stdout;
}

function readAll(bytes: Buffer, pieceBytes = 65_536): DumpContents {
  const reader = new DumpReader();
  for (let at = 0; at < bytes.length; at += pieceBytes) reader.push(bytes.subarray(at, at + pieceBytes));
  return reader.end();
}

/** The code that a dump is refused with; undefined if it passes. */
async function refusal(
  bytes: Buffer,
  contents: ExpectedContents = { tables: expected },
): Promise<string | undefined> {
  async function* pieces() {
    for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536);
  }
  try {
    for await (const _ of checkDump(pieces(), contents));
    return undefined;
  } catch (error) {
    assert.ok(error instanceof BifractError, String(error));
    return error.code;
  }
}

test('every table of the snapshot is found with its rows, whatever its name and its values', () => {
  const { tables, compressed: isCompressed } = readAll(dump);
  assert.equal(isCompressed, false);
  const found = new Map(tables.map(({ schema, name, rows }) => [`${schema}.${name}`, rows]));
  assert.ok(expected.length > 60);
  for (const { schema, name, rows } of expected) assert.equal(found.get(`${schema}.${name}`), rows, name);
});

test('how the dump is cut into pieces does not matter', () => {
  const whole = readAll(dump);
  for (const size of [1, 2, 3, 5, 7, 4096]) assert.deepEqual(readAll(dump, size), whole, `${size} bytes`);
});

test('the checksum of a table is that of its rows and the end mark, however the dump is cut', async () => {
  const bytes = await pgDump(['-Fc', '-Z', '0', '--no-blobs']);
  const file = DumpFile.parse(bytes);
  const wanted = ['long_rows', 'many_0', 'many_7', 'parent', 'no columns'];
  for (const size of [1, 7, 4096, bytes.length]) {
    const reader = new DumpReader({ checksums: ({ name }) => wanted.includes(name) });
    for (let at = 0; at < bytes.length; at += size) reader.push(bytes.subarray(at, at + size));
    const { tables } = reader.end();
    for (const { name, crc32: checksum } of tables)
      assert.equal(checksum, wanted.includes(name) ? crc32(file.blockOf(name).data) : null, name);
    assert.equal(tables.filter((table) => table.crc32 !== null).length, wanted.length);
  }
});

test('formats 1.15 and 1.16 of newer pg_dump are read as well', async () => {
  const from = await pgDump(['-Fc', '-Z', '0', '--no-blobs']);
  const file = DumpFile.parse(from);
  assert.ok(file.write().length > 1 << 20);
  for (const minor of [15, 16]) {
    const newer = file.write({ minor });
    const { format, tables } = readAll(newer);
    assert.equal(format, `1.${minor}`);
    assert.deepEqual(tables, readAll(from).tables);
    assert.equal(await refusal(newer), undefined);
    for (let at = 0; at < newer.length; at += 65_536)
      assert.equal(await refusal(newer.subarray(0, at)), 'CUT_OFF', `1.${minor} cut at ${at}`);
    file.setRows('many_7', file.rowsOf('many_7').slice(1));
    assert.equal(await refusal(file.write({ minor })), 'COUNT_DIFFERS');
    Object.assign(file, DumpFile.parse(from));
  }
});

test('large objects that are missing are missed, also in a compressed dump', async () => {
  assert.ok(large_objects >= 20);
  const whole = { tables: expected, large_objects };
  for (const complete of [dump, compressed]) {
    assert.equal(readAll(complete).large_objects, large_objects);
    assert.equal(await refusal(complete, whole), undefined);
    assert.equal(await refusal(complete, { ...whole, large_objects: large_objects + 1 }), 'COUNT_DIFFERS');
  }
  assert.equal(await refusal(await pgDump(['-Fc', '-Z', '0', '--no-blobs']), whole), 'COUNT_DIFFERS');
});

test('a compressed dump and one of INSERT statements have all their blocks, and no counts', async () => {
  for (const other of [compressed, inserts]) {
    const { tables } = readAll(other);
    const names = new Set(tables.map(({ schema, name }) => `${schema}.${name}`));
    for (const { schema, name } of expected) assert.ok(names.has(`${schema}.${name}`), name);
    assert.ok(tables.every(({ rows }) => rows === null));
    assert.equal(await refusal(other), undefined);
  }
  assert.equal(readAll(compressed).compressed, true);
});

test('a dump that is cut anywhere is refused', async () => {
  assert.equal(await refusal(dump), undefined);
  for (const bytes of [dump, compressed]) {
    for (let at = 0; at < bytes.length; at += 16_384)
      assert.equal(await refusal(bytes.subarray(0, at)), 'CUT_OFF', `cut at ${at} of ${bytes.length}`);
    assert.equal(await refusal(bytes.subarray(0, -1)), 'CUT_OFF');
  }
});

test('a dump that lost bytes in its middle is refused', async () => {
  const gap = fc.tuple(fc.integer({ min: 1, max: dump.length - 1 }), fc.integer({ min: 1, max: 200_000 }));
  await fc.assert(
    fc.asyncProperty(gap, async ([at, length]) => {
      const lossy = Buffer.concat([dump.subarray(0, at), dump.subarray(at + length)]);
      assert.notEqual(await refusal(lossy), undefined, `${length} bytes lost at ${at}`);
    }),
    { numRuns: 300 },
  );
});

test('a dump whose rows changed their number is refused with the table', async () => {
  for (const change of [-1, 1]) {
    const counts = expected.map((table) =>
      table.name === 'many_7' ? { ...table, rows: table.rows + change } : table,
    );
    await assert.rejects(
      async () => {
        async function* all() {
          yield dump;
        }
        for await (const _ of checkDump(all(), { tables: counts }));
      },
      (error: BifractError) => error.code === 'COUNT_DIFFERS' && error.message.includes('many_7'),
    );
  }
});

test('a table without a data block is refused, and so is a block that comes twice', async () => {
  const more = [...expected, { schema: 'public', name: 'never_dumped', rows: 0 }];
  async function* all() {
    yield dump;
  }
  await assert.rejects(
    async () => {
      for await (const _ of checkDump(all(), { tables: more }));
    },
    { code: 'CUT_OFF' },
  );
  const [last] = lastBlocks(1);
  assert.equal(await refusal(Buffer.concat([dump, dump.subarray(last)])), 'DAMAGED');
});

/** Where the last data blocks begin. */
function lastBlocks(count: number): number[] {
  const ends = [];
  const end = Buffer.from([...Buffer.from('\\.\n\n\n', 'latin1'), 0, 0, 0, 0, 0]);
  for (let at = dump.lastIndexOf(end); at > 0 && ends.length < count + 1; at = dump.lastIndexOf(end, at - 1))
    ends.push(at + end.length);
  return ends.slice(1);
}

test('whole blocks that are missing are missed', async () => {
  for (const start of lastBlocks(5)) assert.equal(await refusal(dump.subarray(0, start)), 'CUT_OFF');
});

test('nothing that is not a dump passes, and a stated length alone takes no memory', () => {
  for (const bytes of [Buffer.alloc(0), Buffer.from('-- PostgreSQL database dump\n'), Buffer.from('PGDMP')])
    assert.throws(() => readAll(bytes), BifractError);
  const tar = Buffer.from(dump);
  tar[10] = 3;
  assert.throws(() => readAll(tar), { code: 'DAMAGED' });
  const newer = Buffer.from(dump);
  newer[6] = 99;
  assert.throws(() => readAll(newer), { code: 'UNSUPPORTED' });
});

test('random bytes and flipped bits are refused or leave every count as it was', async () => {
  const counts = readAll(dump).tables;
  let refused = 0;
  await fc.assert(
    fc.property(fc.nat(dump.length - 1), fc.integer({ min: 1, max: 255 }), (at, bits) => {
      const flipped = Buffer.from(dump);
      flipped[at] = (flipped[at] as number) ^ bits;
      try {
        const { tables } = readAll(flipped);
        assert.equal(tables.length, counts.length);
      } catch (error) {
        assert.ok(error instanceof BifractError, String(error));
        refused++;
      }
    }),
    { numRuns: 300 },
  );
  assert.ok(refused > 0);
});
