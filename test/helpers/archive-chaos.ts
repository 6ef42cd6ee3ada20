import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { createInstallDir } from '../../bin/demo/install-dir.ts';
import { queryClickhouse, queryPostgres } from '../../bin/demo/query.ts';
import { seedRows } from '../../bin/demo/seed-rows.ts';
import type { Services } from '../../bin/demo/services.ts';
import { type FaultStyle, type FaultyProxy, startFaultyProxy } from './faulty-proxy.ts';
import { openContent } from './plain-reader.ts';
import { type Ended, ndjson, start } from './program.ts';
import { Random } from './s3/random.ts';

/** What happens to a call: nothing, a kill, a signal, or a start of the server, which marks the archive failed. */
export type Disruption = 'none' | 'SIGKILL' | 'SIGTERM' | 'SIGINT' | 'server';
const DISRUPTIONS: Disruption[] = ['none', 'SIGKILL', 'SIGKILL', 'SIGKILL', 'SIGTERM', 'SIGINT', 'server'];
const STYLES: FaultStyle[] = ['busy', 'gateway', 'reset', 'frame', 'text', 'json', 'cut'];
const SPLITS = ['none', 'none', 'hour', 'day', 'week'];
const FRACTAL = 'c0000000-0000-4000-8000-000000000001';
const SERVER_STARTS = `UPDATE archives SET status = 'failed', error_message = 'Server restarted' WHERE status = 'in_progress'`;
/** A call that takes longer hangs. */
const CALL_LIMIT_MS = 120_000;

export interface ArchiveRound {
  split: string;
  /** The disruption of each call, and its exit code or signal. */
  calls: string[];
  /** Number of ClickHouse responses with a fault. */
  faults: number;
  /** Whether the last call resumed an earlier one. */
  resumed: boolean;
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
 * Disrupts archiving at seeded points: faults in ClickHouse responses, kill -9, signals, starts of the server. After
 * every call records and files must be consistent; after a successful call the archive must hold each row once.
 */
export class ArchiveChaos {
  readonly #services: Services;
  readonly #database: string;
  readonly #dir: string;
  readonly #proxy: FaultyProxy;
  readonly #random: Random;
  #key = '';
  #expected = '';
  #full_ms = 0;
  #faults = 0;

  private constructor(services: Services, database: string, dir: string, proxy: FaultyProxy, seed: number) {
    this.#services = services;
    this.#database = database;
    this.#dir = dir;
    this.#proxy = proxy;
    this.#random = new Random(seed);
  }

  /** Fills the databases, and archives them once without disruption. */
  static async start(services: Services, database: string, seed: number): Promise<ArchiveChaos> {
    const dir = await mkdtemp(join(tmpdir(), 'bifract-archive-chaos-'));
    const proxy = await startFaultyProxy(services.clickhouse.url);
    const chaos = new ArchiveChaos(services, database, dir, proxy, seed);
    const clickhouse = { ...services.clickhouse, url: proxy.url, database };
    const { env } = await createInstallDir(dir, services.postgres, clickhouse, {
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

  /** A few disrupted calls, then one without disruption. Throws if a check fails. */
  async round(): Promise<ArchiveRound> {
    const split = this.#random.pick(SPLITS);
    const calls: string[] = [];
    this.#faults = 0;
    this.#proxy.chooseFault = (sql) => this.#fault(sql);
    let unrecovered = false;
    for (let left = this.#random.int(1, 3); left > 0; left--) {
      const disruption = this.#random.pick(DISRUPTIONS);
      const ended = await this.#call(split, disruption);
      calls.push(`${disruption} ${ended.signal ?? codeOf(ended)}`);
      // A call that a signal ends early may not have recovered what a killed one left.
      unrecovered = ended.signal !== null || (unrecovered && (ended.code ?? 0) > 100);
      await this.#checkConsistent(unrecovered).catch((error: Error) => {
        throw new Error(`${error.message} after ${calls.join(', ')}`);
      });
      if (ended.code === 0) await this.#checkComplete(ended);
    }
    this.#proxy.chooseFault = undefined;
    const last = await this.#call(split, 'none');
    if (last.code !== 0) throw new Error(`The call without disruption failed: ${last.stderr}${last.stdout}`);
    await this.#checkConsistent(false);
    await this.#checkComplete(last);
    await this.#checkNothingLeft();
    await this.#sql('DELETE FROM archive_groups');
    await rm(join(this.#dir, 'archives'), { recursive: true, force: true });
    return { split, calls, faults: this.#faults, resumed: resultOf(last)?.continued === true };
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
    // Lines that hardly compress, for large files; and many rows with equal keys, some of them identical.
    await this.#insert(`SELECT fromUnixTimestamp64Milli(${from.getTime()} + number * 9000), randomPrintableASCII(4000),
      lower(hex(sipHash128(number))), '{}', '${FRACTAL}', fromUnixTimestamp64Milli(0) FROM numbers(3000)`);
    await this.#insert(`SELECT fromUnixTimestamp64Milli(${from.getTime() + 7_200_000}), repeat('the same ', 50), 'same',
      '{"n":1}', '${FRACTAL}', fromUnixTimestamp64Milli(number % 3) FROM numbers(2500)`);
    const started = performance.now();
    const ended = await this.#call('none', 'none');
    this.#full_ms = performance.now() - started;
    this.#expected = (await this.#linesOf(ended)).digest;
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

  async #call(split: string, disruption: Disruption): Promise<Ended> {
    const program = start(['archive', 'web', '--split', split, '--json', '--dir', this.#dir], {
      BIFRACT_ARCHIVE_MAX_ERROR_TIME: this.#random.chance(0.3) ? '1s' : '20s',
    });
    const disrupt = async () => {
      await wait(Math.round(this.#random.next() * this.#full_ms * 1.3));
      if (disruption === 'server') await this.#sql(SERVER_STARTS);
      else if (disruption !== 'none') program.child.kill(disruption);
    };
    const limit = new AbortController();
    const hangs = wait(CALL_LIMIT_MS, undefined, { signal: limit.signal, ref: false }).then(() => {
      program.child.kill('SIGKILL');
      throw new Error(`Call hangs after ${disruption}`);
    });
    const [ended] = await Promise.all([Promise.race([program.ended, hangs]), disrupt()]).finally(() => {
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

  /** Completed records have an intact file, files have a completed record, and groups match their records. */
  async #checkConsistent(unrecovered: boolean): Promise<void> {
    const records = await this.#records();
    for (const record of records) {
      if (record.status === 'in_progress' && !unrecovered)
        throw new Error(`${record.filename} is stuck in progress`);
      if (record.status === 'completed') await this.#checkFile(record);
    }
    const known = new Set(
      records.filter(({ status }) => unrecovered || status === 'completed').map((one) => one.filename),
    );
    const unlisted = (await this.#files()).filter((name) => !name.startsWith('.') && !known.has(name));
    if (unlisted.length > 0) throw new Error(`Files without a completed record: ${unlisted.join(', ')}`);
    if (!unrecovered) await this.#checkGroups(records);
  }

  async #checkFile({ storage_path, log_count, size_bytes, checksum }: Archive): Promise<void> {
    const bytes = await readFile(join(this.#dir, storage_path));
    const rows = linesIn(bytes, this.#key).length;
    const sum = createHash('sha256').update(bytes).digest('hex');
    if (rows !== Number(log_count) || bytes.length !== Number(size_bytes) || sum !== checksum)
      throw new Error(`${storage_path} does not match its record: ${rows} rows, recorded ${log_count}`);
  }

  async #checkGroups(records: Archive[]): Promise<void> {
    for (const { id, status, archive_count, completed_count, total_log_count } of await this.#groups()) {
      const done = records.filter((one) => one.group_id === id && one.status === 'completed');
      const all = done.length === Number(archive_count);
      const expected = all ? 'completed' : done.length > 0 ? 'partial' : 'failed';
      const rows = done.reduce((sum, { log_count }) => sum + Number(log_count), 0);
      if (status !== expected || Number(completed_count) !== done.length || Number(total_log_count) !== rows)
        throw new Error(
          `Group is recorded as ${status}, ${completed_count} of ${archive_count}, but is ${expected}, ${done.length}`,
        );
    }
  }

  /** Checks that the files of the group hold each row once. */
  async #checkComplete(ended: Ended): Promise<void> {
    const { digest, rows } = await this.#linesOf(ended);
    if (digest !== this.#expected) throw new Error(`The archive differs from the table: ${rows} rows`);
  }

  async #checkNothingLeft(): Promise<void> {
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
    if (lines.length === 0) throw new Error(`No rows archived: ${ended.stderr}${ended.stdout}`);
    return { digest: createHash('sha256').update(lines.sort().join('\n')).digest('hex'), rows: lines.length };
  }

  #files(): Promise<string[]> {
    return readdir(join(this.#dir, 'archives', FRACTAL)).catch(() => []);
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
