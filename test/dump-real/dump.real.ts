/**
 * A dump of 50 tables, made by the real pg_dump, is damaged in many ways before the backup is sealed. Prints how many of
 * which were tried, and what was refused. A seed: DUMP_SEED.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { DiskStorage } from '../../src/core/adapters/disk/storage.ts';
import { postgresDatabase } from '../../src/core/adapters/postgres/snapshot.ts';
import { BifractError } from '../../src/core/contract/errors.ts';
import { backup } from '../../src/core/features/backup/backup.ts';
import { Dice } from '../fuzz/mutations.ts';
import { DumpFile } from '../helpers/dump-file.ts';
import { FakeDumpTool, FakeState, jobContext } from '../helpers/fake-ports.ts';
import { fakeServices } from '../helpers/fake-services.ts';
import { ndjson, run } from '../helpers/program.ts';
import { KEY } from '../helpers/sealed.ts';
import { testServices } from '../helpers/services.ts';
import { mutilations } from './mutilations.ts';

const TABLES = 50;
const CUT_BYTES = 65_536;
const RANDOM_ROUNDS = 1000;
const PROGRAM_CUTS = 40;
const LIMIT = { timeout: 900_000 };
const SEED = Number(process.env.DUMP_SEED ?? 1);

const services = await testServices();
const { host, port, user, password, database, bin } = services.postgres;
const pgEnv = {
  ...process.env,
  PGHOST: host,
  PGPORT: String(port),
  PGUSER: user,
  PGPASSWORD: password,
  LC_ALL: 'C',
};
const exec = promisify(execFile);

let dir: string;
let dump: Buffer;
let definitions: Buffer;
let file: DumpFile;

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'bifract-dump-'));
  const rows = (table: number) => (table === 0 ? 0 : 100 + table * 12);
  for (let table = 0; table < TABLES; table++)
    await services.sql(`CREATE TABLE many_${table} (id int, at timestamptz, doc jsonb, text text);
      CREATE INDEX ON many_${table} (id);
      INSERT INTO many_${table} SELECT i, timestamptz '2026-03-01Z' + i * interval '1 second',
        jsonb_build_object('n', i, 'name', E'Größe\\t' || i), repeat(md5(i::text || ${table}), 5)
        FROM generate_series(1, ${rows(table)}) AS i`);
  const pgDump = async (...args: string[]) =>
    (
      await exec(join(bin, 'pg_dump'), ['-Fc', '-Z', '0', '-d', database, ...args], {
        env: pgEnv,
        encoding: 'buffer',
        maxBuffer: 1 << 30,
      })
    ).stdout;
  dump = await pgDump();
  definitions = await pgDump('--schema-only');
  file = DumpFile.parse(dump);
});
after(() => rm(dir, { recursive: true, force: true }));

/** Backs up the database by a pg_dump that writes this and succeeds: the code it is refused with. Nothing may be left. */
async function seal(written: Buffer, again = definitions): Promise<string | undefined> {
  const folder = join(dir, `backups-${randomBytes(4).toString('hex')}`);
  const dumpTool = new FakeDumpTool();
  dumpTool.content = [];
  dumpTool.definitions = again;
  for (let at = 0; at < written.length; at += CUT_BYTES)
    dumpTool.content.push(written.subarray(at, at + CUT_BYTES));
  const parts = fakeServices({
    database: postgresDatabase({ host, port, user, password, database }),
    dumpTool,
    backups: new DiskStorage(folder),
    state: new FakeState(),
    key: KEY,
    variables: {},
    installation: { dir: '', key_id: null, storage: '', read_only: false, version: '1.0.0' },
  });
  const error = await backup(parts, { kind: 'backup' }, jobContext()).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error !== undefined && !(error instanceof BifractError)) throw error;
  const left = await readdir(folder).catch(() => []);
  assert.equal(left.length, error === undefined ? 1 : 0, `${error?.code}: ${left}`);
  await rm(folder, { recursive: true, force: true });
  return error?.code;
}

test('the whole dump is sealed, also as this suite writes it', LIMIT, async (t) => {
  assert.equal(await seal(dump), undefined);
  assert.equal(await seal(file.write()), undefined);
  t.diagnostic(`${dump.length} bytes, ${file.entries.length} entries, ${file.blocks.length} blocks`);
});

test('cut at every 64 KiB: none is sealed', LIMIT, async (t) => {
  let tried = 0;
  for (let at = 0; at < dump.length; at += CUT_BYTES, tried++)
    assert.equal(await seal(dump.subarray(0, at)), 'CUT_OFF', `cut at ${at}`);
  assert.ok(tried > 50);
  t.diagnostic(`${tried} cuts, ${tried} refused`);
});

test('1,000 random cuts: none is sealed', LIMIT, async (t) => {
  const dice = new Dice(SEED);
  for (let round = 0; round < RANDOM_ROUNDS; round++) {
    const at = dice.below(dump.length);
    assert.equal(await seal(dump.subarray(0, at)), 'CUT_OFF', `cut at ${at}`);
  }
  t.diagnostic(`${RANDOM_ROUNDS} cuts, ${RANDOM_ROUNDS} refused`);
});

/** Only a bit that flips in a text of the table of contents or the header leaves a dump that cannot be told from the right one. */
test(
  '1,000 flipped bits: none is sealed outside of the texts of the header and the table of contents',
  LIMIT,
  async (t) => {
    const dice = new Dice(SEED + 1);
    const texts = textRanges();
    const tally: Record<string, number> = {};
    for (let round = 0; round < RANDOM_ROUNDS; round++) {
      // Half of them outside of values, which are nearly all of a dump.
      const at = round % 2 ? dice.below(dump.length) : structureByte(texts, dice.below(1 << 30));
      const flipped = Buffer.from(dump);
      flipped[at] = (flipped[at] as number) ^ (1 << dice.below(8));
      const code = await seal(flipped);
      const place =
        texts.kinds[at] === STRUCTURE ? 'structure' : texts.kinds[at] === VALUE ? 'values' : 'texts';
      const key = `${place}: ${code === undefined ? 'sealed' : 'refused'}`;
      tally[key] = (tally[key] ?? 0) + 1;
      if (place !== 'texts') assert.notEqual(code, undefined, `${place}, byte ${at}`);
    }
    t.diagnostic(JSON.stringify(tally));
  },
);

test('mutilated dumps that pg_restore reads without an error: none is sealed', LIMIT, async (t) => {
  const shape = { some: 'many_9', other: 'many_17', empty: 'many_0' };
  const accepted = { list: 0, restore: 0 };
  const all = mutilations(file, shape);
  for (const [what, mutilated] of all) {
    const bytes = mutilated.write();
    const list = await pgRestore(bytes, ['--list']);
    const restored = await restores(bytes);
    assert.ok(list, `pg_restore --list refuses it: ${what}`);
    accepted.list += Number(list);
    accepted.restore += Number(restored);
    const code = await seal(bytes);
    t.diagnostic(`${code ?? 'SEALED'}${restored ? ', which pg_restore restores' : ''}: ${what}`);
    assert.notEqual(code, undefined, what);
  }
  t.diagnostic(
    `${all.length} mutilated, ${all.length} refused; pg_restore lists ${accepted.list}, restores ${accepted.restore}`,
  );
  assert.ok(accepted.restore >= 15);
});

test('formats 1.15 and 1.16 (PostgreSQL 16 to 18): the same', LIMIT, async (t) => {
  for (const minor of [15, 16]) {
    const bytes = file.write({ minor });
    // A version of pg_dump writes both in its format.
    const again = DumpFile.parse(definitions).write({ minor });
    assert.equal(await seal(bytes, again), undefined);
    let tried = 0;
    for (let at = 0; at < bytes.length; at += 4 * CUT_BYTES, tried++)
      assert.equal(await seal(bytes.subarray(0, at), again), 'CUT_OFF', `1.${minor} cut at ${at}`);
    const shape = { some: 'many_9', other: 'many_17', empty: 'many_0' };
    const all = mutilations(file, shape);
    for (const [what, mutilated] of all)
      assert.notEqual(await seal(mutilated.write({ minor }), again), undefined, what);
    t.diagnostic(`1.${minor}: ${tried} cuts and ${all.length} mutilated dumps, all refused`);
  }
});

test('the program itself, with a pg_dump that loses its end and succeeds', LIMIT, async (t) => {
  const { dir: installation } = await services.installation();
  const tools = await mkdtemp(join(dir, 'tools-'));
  const whole = join(dir, 'whole.dump');
  await writeFile(whole, dump);
  // A file: pg_dump gets only the variables that it needs.
  const count = join(tools, 'bytes');
  const script = `#!/bin/sh
[ "$1" = --version ] && { echo 'pg_dump (PostgreSQL) ${services.postgres.version.split('.')[0]}.999'; exit 0; }
case " $* " in *' --schema-only '*) exec '${join(bin, 'pg_dump')}' "$@" ;; esac
head -c "$(cat '${count}')" '${whole}'
`;
  await writeFile(join(tools, 'pg_dump'), script, { mode: 0o755 });
  const backUp = async (bytes: number) => {
    await writeFile(count, String(bytes));
    return run(['backup', '--dir', installation, '--json'], {
      PATH: `${tools}${delimiter}${process.env.PATH}`,
    });
  };
  const sealed = async () => (await readdir(join(installation, 'backups'))).length;
  for (let cut = 0; cut < PROGRAM_CUTS; cut++) {
    const bytes = cut === PROGRAM_CUTS - 1 ? dump.length - 1 : Math.floor((dump.length / PROGRAM_CUTS) * cut);
    const ended = await backUp(bytes);
    const last = ndjson<{ event: string; error?: { code: string } }>(ended).at(-1);
    assert.deepEqual([ended.code, last?.event, last?.error?.code], [5, 'job:failed', 'CUT_OFF'], `${bytes}`);
    assert.equal(await sealed(), 0);
  }
  const ended = await backUp(dump.length);
  assert.equal(ended.code, 0, ended.stderr);
  assert.equal(await sealed(), 1);
  t.diagnostic(`${PROGRAM_CUTS} cuts, ${PROGRAM_CUTS} refused`);
});

const STRUCTURE = 0;
const TEXT = 1;
const VALUE = 2;

/** What each byte of the dump is: structure, a text of the table of contents or the header, or a value of a row. */
function textRanges(): { kinds: Uint8Array; structure: Uint32Array } {
  const kinds = new Uint8Array(dump.length);
  const [head] = file.parts();
  assert.ok(head && dump.subarray(0, head.length).equals(head));
  // What precedes is the magic, the version and sizes; nothing depends on the revision of the format.
  kinds.fill(TEXT, 11, head.length);
  kinds[7] = TEXT;
  for (let at = head.length; at < dump.length; ) {
    at += 6;
    for (let length = dump.readUInt32LE(at + 1); length > 0; length = dump.readUInt32LE(at + 1)) {
      const from = at + 5;
      const isEnd = dump.subarray(from, from + length).equals(Buffer.from('\\.\n\n\n'));
      for (let one = from; one < from + length && !isEnd; one++) if (dump[one] !== 10) kinds[one] = VALUE;
      at = from + length;
    }
    at += 5;
  }
  const structure = Uint32Array.from(kinds.keys().filter((at) => kinds[at] === STRUCTURE));
  return { kinds, structure };
}

function structureByte({ structure }: { structure: Uint32Array }, number: number): number {
  return structure[number % structure.length] as number;
}

async function pgRestore(bytes: Buffer, args: string[]): Promise<boolean> {
  const path = join(dir, 'mutilated.dump');
  await writeFile(path, bytes);
  return exec(join(bin, 'pg_restore'), [...args, path], { env: pgEnv, maxBuffer: 1 << 28 }).then(
    () => true,
    () => false,
  );
}

/** Whether pg_restore restores it into a new database and exits with 0. */
async function restores(bytes: Buffer): Promise<boolean> {
  const name = `restored_${randomBytes(4).toString('hex')}`;
  const admin = async (sql: string) =>
    void (await exec(join(bin, 'psql'), ['-X', '-q', '-d', 'postgres', '-c', sql], { env: pgEnv }));
  await admin(`CREATE DATABASE ${name}`);
  try {
    return await pgRestore(bytes, ['--exit-on-error', '-d', name]);
  } finally {
    await admin(`DROP DATABASE ${name} WITH (FORCE)`);
  }
}
