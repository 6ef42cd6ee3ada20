import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { makeInstallDir } from '../../bin/demo/install-dir.ts';
import { queryClickhouse, queryPostgres } from '../../bin/demo/query.ts';
import { seedRows } from '../../bin/demo/seed-rows.ts';
import type { Services } from '../../bin/demo/services.ts';
import { type FaultStyle, type FaultyProxy, startFaultyProxy } from './faulty-proxy.ts';
import { openContent } from './plain-reader.ts';
import { type Ended, ndjson, start } from './program.ts';
import { Random } from './s3/random.ts';

/** What happens to a call: nothing, a kill, a signal, or a start of the server, which declares the archive failed. */
export type Blow = 'none' | 'SIGKILL' | 'SIGTERM' | 'SIGINT' | 'server';
const BLOWS: Blow[] = ['none', 'SIGKILL', 'SIGKILL', 'SIGKILL', 'SIGTERM', 'SIGINT', 'server'];
const STYLES: FaultStyle[] = ['busy', 'gateway', 'reset', 'frame', 'text', 'json', 'cut'];
const SPLITS = ['none', 'none', 'hour', 'day', 'week'];
const FRACTAL = 'c0000000-0000-4000-8000-000000000001';
const SERVER_STARTS = `UPDATE archives SET status = 'failed', error_message = 'Server restarted' WHERE status = 'in_progress'`;
/** Each call ends by then, or hangs. */
const LIMIT_MS = 120_000;

export interface ArchiveRound {
  split: string;
  /** What was done to each call, and its exit code or signal. */
  calls: string[];
  /** Answers of ClickHouse that were spoiled. */
  faults: number;
  /** Whether the last call went on with an earlier one, and how many rows it did not ask for again. */
  continued: boolean;
}

interface Archive {
  status: string;
  filename: string;
  storage_path: string;
  log_count: string;
  size_bytes: string;
  checksum: string | null;
  group_id: string;
}

/**
 * Archives that are disturbed at points chosen by a seed: answers of ClickHouse that break in every way, kill -9, signals,
 * starts of the server. After every call, what records and files say must be true; and once a call succeeds, the archive
 * holds each row once.
 */
export class ArchiveChaos {
  readonly #services: Services;
  readonly #database: string;
  readonly #dir: string;
  readonly #proxy: FaultyProxy;
  readonly #random: Random;
  #key = '';
  #wanted = '';
  #full_ms = 0;
  #faults = 0;

  private constructor(services: Services, database: string, dir: string, proxy: FaultyProxy, seed: number) {
    this.#services = services;
    this.#database = database;
    this.#dir = dir;
    this.#proxy = proxy;
    this.#random = new Random(seed);
  }

  /** Fills the logs of both services' databases, and archives them once undisturbed. */
  static async start(services: Services, database: string, seed: number): Promise<ArchiveChaos> {
    const dir = await mkdtemp(join(tmpdir(), 'bifract-archive-chaos-'));
    const proxy = await startFaultyProxy(services.clickhouse.url);
    const chaos = new ArchiveChaos(services, database, dir, proxy, seed);
    const clickhouse = { ...services.clickhouse, url: proxy.url, database };
    const { env } = await makeInstallDir(dir, services.postgres, clickhouse, {
      BIFRACT_ARCHIVE_MAX_ERROR_TIME: '20s',
    });
    chaos.#key = env.BIFRACT_BACKUP_ENCRYPTION_KEY ?? '';
    await chaos.#prepare();
    return chaos;
  }

  async stop(): Promise<void> {
    await this.#proxy.close();
    await rm(this.#dir, { recursive: true, force: true });
  }

  /** A few disturbed calls, then one that nobody disturbs. Throws where anything is not as it must be. */
  async round(): Promise<ArchiveRound> {
    const split = this.#random.pick(SPLITS);
    const calls: string[] = [];
    this.#faults = 0;
    this.#proxy.choose = (sql) => this.#fault(sql);
    let unsettled = false;
    for (let left = this.#random.int(1, 3); left > 0; left--) {
      const blow = this.#random.pick(BLOWS);
      const ended = await this.#call(split, blow);
      calls.push(`${blow} ${ended.signal ?? codeOf(ended)}`);
      // One that a signal met early need not have come to put right what a dead one left.
      unsettled = ended.signal !== null || (unsettled && (ended.code ?? 0) > 100);
      await this.#mustBeTrue(unsettled).catch((error: Error) => {
        throw new Error(`${error.message} after ${calls.join(', ')}`);
      });
      if (ended.code === 0) await this.#mustBeWhole(ended);
    }
    this.#proxy.choose = undefined;
    const last = await this.#call(split, 'none');
    if (last.code !== 0) throw new Error(`The undisturbed call failed: ${last.stderr}${last.stdout}`);
    await this.#mustBeTrue(false);
    await this.#mustBeWhole(last);
    await this.#mustBeTidy();
    await this.#sql('DELETE FROM archive_groups');
    await rm(join(this.#dir, 'archives'), { recursive: true, force: true });
    return { split, calls, faults: this.#faults, continued: resultOf(last)?.continued === true };
  }

  async #prepare(): Promise<void> {
    const { clickhouse } = this.#services;
    await this.#sql(`INSERT INTO fractals (id, name) VALUES ('${FRACTAL}', 'web')`);
    const from = new Date('2026-03-01T20:00:00Z');
    const span = { from, to: new Date('2026-03-02T04:00:00Z') };
    await seedRows(clickhouse, this.#database, {
      fractal_id: FRACTAL,
      kind: 'mixed',
      rows: 12_000,
      seed: 5,
      ...span,
    });
    // Lines that hardly compress, so that much is written; and many that share a key, and differ or not.
    await this.#insert(`SELECT fromUnixTimestamp64Milli(${from.getTime()} + number * 9000), randomPrintableASCII(4000),
      lower(hex(sipHash128(number))), '{}', '${FRACTAL}', fromUnixTimestamp64Milli(0) FROM numbers(3000)`);
    await this.#insert(`SELECT fromUnixTimestamp64Milli(${from.getTime() + 7_200_000}), repeat('the same ', 50), 'same',
      '{"n":1}', '${FRACTAL}', fromUnixTimestamp64Milli(number % 3) FROM numbers(2500)`);
    const began = performance.now();
    const ended = await this.#call('none', 'none');
    this.#full_ms = performance.now() - began;
    this.#wanted = (await this.#linesOf(ended)).digest;
    await this.#sql('DELETE FROM archive_groups');
    await rm(join(this.#dir, 'archives'), { recursive: true });
  }

  async #insert(select: string): Promise<void> {
    const columns = 'timestamp, raw_log, log_id, fields, fractal_id, ingest_timestamp';
    await queryClickhouse(
      this.#services.clickhouse,
      this.#database,
      `INSERT INTO logs (${columns}) ${select}`,
    );
  }

  async #call(split: string, blow: Blow): Promise<Ended> {
    const program = start(['archive', 'web', '--split', split, '--json', '--dir', this.#dir], {
      BIFRACT_ARCHIVE_MAX_ERROR_TIME: this.#random.chance(0.3) ? '1s' : '20s',
    });
    const strike = async () => {
      await wait(Math.round(this.#random.next() * this.#full_ms * 1.3));
      if (blow === 'server') await this.#sql(SERVER_STARTS);
      else if (blow !== 'none') program.child.kill(blow);
    };
    const limit = new AbortController();
    const hangs = wait(LIMIT_MS, undefined, { signal: limit.signal, ref: false }).then(() => {
      program.child.kill('SIGKILL');
      throw new Error(`A call hangs after ${blow}`);
    });
    const [ended] = await Promise.all([Promise.race([program.ended, hangs]), strike()]).finally(() => {
      limit.abort();
      hangs.catch(() => undefined);
    });
    return ended as Ended;
  }

  #fault(sql: string) {
    const rows = /raw_log AS raw/.test(sql);
    if (!this.#random.chance(rows ? 0.35 : 0.08)) return undefined;
    this.#faults++;
    const style = this.#random.pick(STYLES);
    return { style, after_bytes: Math.floor(this.#random.next() ** 2 * (rows ? 20e6 : 50)) };
  }

  /** No record is completed without its whole file, no whole file is without a record, no group says what is not so. */
  async #mustBeTrue(unsettled: boolean): Promise<void> {
    const records = await this.#records();
    for (const record of records) {
      if (record.status === 'in_progress' && !unsettled)
        throw new Error(`${record.filename} is in progress for ever`);
      if (record.status === 'completed') await this.#mustHold(record);
    }
    const known = new Set(
      records.filter(({ status }) => unsettled || status === 'completed').map((one) => one.filename),
    );
    const strange = (await this.#files()).filter((name) => !name.startsWith('.') && !known.has(name));
    if (strange.length > 0) throw new Error(`Files without a completed record: ${strange.join(', ')}`);
    if (!unsettled) await this.#groupsMustBeTrue(records);
  }

  async #mustHold({ storage_path, log_count, size_bytes, checksum }: Archive): Promise<void> {
    const bytes = await readFile(join(this.#dir, storage_path));
    const rows = linesIn(bytes, this.#key).length;
    const sum = createHash('sha256').update(bytes).digest('hex');
    if (rows !== Number(log_count) || bytes.length !== Number(size_bytes) || sum !== checksum)
      throw new Error(`${storage_path} is not what its record says: ${rows} rows of ${log_count}`);
  }

  async #groupsMustBeTrue(records: Archive[]): Promise<void> {
    for (const { id, status, archive_count, completed_count, total_log_count } of await this.#groups()) {
      const done = records.filter((one) => one.group_id === id && one.status === 'completed');
      const all = done.length === Number(archive_count);
      const is = all ? 'completed' : done.length > 0 ? 'partial' : 'failed';
      const rows = done.reduce((sum, { log_count }) => sum + Number(log_count), 0);
      if (status !== is || Number(completed_count) !== done.length || Number(total_log_count) !== rows)
        throw new Error(
          `A group says ${status}, ${completed_count} of ${archive_count}; it is ${is}, ${done.length}`,
        );
    }
  }

  /** All files of the group hold each row once. */
  async #mustBeWhole(ended: Ended): Promise<void> {
    const { digest, rows } = await this.#linesOf(ended);
    if (digest !== this.#wanted) throw new Error(`The archive differs: ${rows} rows`);
  }

  async #mustBeTidy(): Promise<void> {
    const left = [
      ...(await this.#files()).filter((name) => name.startsWith('.')),
      ...(await readdir(join(this.#dir, '.bifract/jobs'))),
    ];
    if (left.length > 0) throw new Error(`Left behind: ${left.join(', ')}`);
  }

  async #linesOf(ended: Ended): Promise<{ digest: string; rows: number }> {
    const group = resultOf(ended)?.group_id;
    const lines: string[] = [];
    for (const { group_id, storage_path, status } of await this.#records()) {
      if (group_id !== group || status !== 'completed') continue;
      lines.push(...linesIn(await readFile(join(this.#dir, storage_path)), this.#key));
    }
    if (lines.length === 0) throw new Error(`Nothing was archived: ${ended.stderr}${ended.stdout}`);
    return { digest: createHash('sha256').update(lines.sort().join('\n')).digest('hex'), rows: lines.length };
  }

  async #files(): Promise<string[]> {
    const all = await readdir(join(this.#dir, 'archives', FRACTAL)).catch(() => []);
    return all;
  }

  #records(): Promise<Archive[]> {
    return this.#sql<Archive & Record<string, unknown>>('SELECT * FROM archives');
  }

  #groups() {
    return this.#sql<
      Record<'id' | 'status' | 'archive_count' | 'completed_count' | 'total_log_count', string>
    >('SELECT * FROM archive_groups');
  }

  #sql<Row extends Record<string, unknown>>(text: string): Promise<Row[]> {
    return queryPostgres<Row>(this.#services.postgres, text);
  }
}

function linesIn(bytes: Buffer, key: string): string[] {
  const [head, ...lines] = openContent(bytes, key).toString('latin1').split('\n');
  if (head !== '{"_bifract_archive_version":1}' || lines.pop() !== '') throw new Error('Not an archive');
  return lines;
}

function codeOf(ended: Ended): string {
  const { error } = ndjson<{ error?: { code: string } }>(ended).at(-1) ?? {};
  return error ? `${ended.code} ${error.code}` : String(ended.code);
}

function resultOf(ended: Ended): { group_id?: string; continued?: boolean } | undefined {
  return ndjson<{ result?: { group_id: string; continued: boolean } }>(ended).at(-1)?.result;
}
