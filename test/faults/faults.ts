import { open, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { startFaultyProxy } from '../helpers/faulty-proxy.ts';
import type { Random } from '../helpers/s3/random.ts';
import { type JobName, jobKind } from './jobs.ts';
import type { Call, ProgramOptions } from './program.ts';
import type { RequestFaults } from './s3-process.ts';
import type { Start, StorageKind, World } from './world.ts';

/** What a fault acts on. */
export interface Scene {
  world: World;
  start: Start;
  jobs: readonly JobName[];
  /** Calls of the program, as soon as they run. */
  calls: Call[];
  random: Random;
}

export interface Conditions {
  jobs: readonly JobName[];
  storage: StorageKind;
  /** Whether the user may mount file systems. */
  root: boolean;
}

interface FaultKind {
  /** The connection whose bytes can decide when it strikes. */
  link?: 'postgres' | 'clickhouse' | 's3';
  applies(conditions: Conditions): boolean;
  /** Before the calls: how to start the program, or what to set up. */
  arm?(scene: Scene): Promise<Partial<ProgramOptions>> | Partial<ProgramOptions> | Promise<void> | undefined;
  /** Once, at its moment. Returns false if there was nothing to disturb. */
  strike?(scene: Scene): Promise<boolean> | boolean;
  /** After the calls: repairs what a machine's administrator would. Returns whether it was noticed, if it was armed. */
  heal?(scene: Scene): Promise<boolean | undefined>;
}

const always = () => true;
const onDisk = ({ storage, root }: Conditions) => storage === 'disk' && root;
const onS3 = ({ storage }: Conditions) => storage === 's3';
const withClickhouse = ({ jobs }: Conditions) => jobs.some((name) => jobKind(name).uses_clickhouse);
const withTool = ({ jobs }: Conditions) => jobs.some((name) => jobKind(name).tool);
const withPostgres = ({ jobs }: Conditions) => jobs.some((name) => !jobKind(name).without_postgres);
const restores = ({ jobs }: Conditions) => jobs.includes('restore') || jobs.includes('drill');

const RESPONSE_FAULTS = ['busy', 'gateway', 'reset', 'frame', 'text', 'json', 'cut'] as const;
/** The proxy of the round that has response faults. */
const proxies = new WeakMap<World, { close(): Promise<void>; count(): number }>();
/** Of 512 bytes: the size of a backup. */
const MOST_BLOCKS = 13_000;
const STALL_MS = 2500;
const SLOW_MS = 15;
/** Longest time that a server is down. */
const DOWN_MS = 1500;

export const FAULTS = {
  'kill -9': { applies: always, strike: (scene) => signal(scene, 'SIGKILL') },
  SIGTERM: { applies: always, strike: (scene) => signal(scene, 'SIGTERM') },
  SIGINT: { applies: always, strike: (scene) => signal(scene, 'SIGINT') },

  'ClickHouse killed': {
    link: 'clickhouse',
    applies: withClickhouse,
    strike: (scene) => restart(scene, scene.world.clickhouse),
  },
  'ClickHouse errors': {
    applies: withClickhouse,
    arm: async ({ world, random }) => {
      const proxy = await startFaultyProxy(world.clickhouse.direct_url);
      let count = 0;
      proxy.chooseFault = (sql) => {
        const rows = /raw_log AS raw/.test(sql);
        if (!random.chance(rows ? 0.35 : 0.08)) return undefined;
        count++;
        const after_bytes = Math.floor(random.next() ** 2 * (rows ? 5e6 : 50));
        return { style: random.pick(RESPONSE_FAULTS), after_bytes };
      };
      proxies.set(world, { close: () => proxy.close(), count: () => count });
      world.clickhouse.relay.target = Number(new URL(proxy.url).port);
    },
    heal: async ({ world }) => {
      const proxy = proxies.get(world);
      world.clickhouse.relay.target = Number(new URL(world.clickhouse.direct_url).port);
      await proxy?.close();
      return (proxy?.count() ?? 0) > 0;
    },
  },
  'Bifract server starts': {
    applies: withClickhouse,
    // It marks all archives in progress as failed, and ends restores.
    strike: async ({ world }) => {
      const failed = await world.postgres.sql(
        "UPDATE archives SET status = 'failed' WHERE status = 'in_progress' RETURNING id",
      );
      const ended = await world.postgres.sql(
        "UPDATE archives SET status = 'completed' WHERE status = 'restoring' RETURNING id",
      );
      return failed.length + ended.length > 0;
    },
  },
  'PostgreSQL stopped': {
    link: 'postgres',
    applies: withPostgres,
    strike: (scene) => restart(scene, scene.world.postgres),
  },
  'S3 killed': { link: 's3', applies: onS3, strike: (scene) => restart(scene, scene.world.s3) },
  'backend killed': {
    link: 'postgres',
    applies: withPostgres,
    strike: async (scene) => {
      const pids = await scene.world.postgres.backends().catch(() => []);
      return kill(scene.random, pids);
    },
    heal: async ({ world }) => {
      await world.postgres.settled();
      return undefined;
    },
  },
  'pg_dump or pg_restore killed': {
    link: 'postgres',
    applies: withTool,
    strike: async ({ calls, random }) => {
      const pids = await Promise.all(calls.map((call) => call.children(/pg_(dump|restore)\0(?!--version)/)));
      return kill(random, pids.flat());
    },
  },

  'ClickHouse cut': {
    link: 'clickhouse',
    applies: withClickhouse,
    strike: (scene) => cut(scene, 'clickhouse'),
  },
  'PostgreSQL cut': { link: 'postgres', applies: withPostgres, strike: (scene) => cut(scene, 'postgres') },
  'S3 cut': { link: 's3', applies: onS3, strike: (scene) => cut(scene, 's3') },
  'ClickHouse stalls': {
    link: 'clickhouse',
    applies: withClickhouse,
    strike: (scene) => stall(scene, 'clickhouse'),
  },
  'PostgreSQL stalls': {
    link: 'postgres',
    applies: withPostgres,
    strike: (scene) => stall(scene, 'postgres'),
  },
  'S3 stalls': { link: 's3', applies: onS3, strike: (scene) => stall(scene, 's3') },
  'S3 slow': {
    applies: onS3,
    arm: ({ world }) => void world.s3.relay.slow(SLOW_MS),
    heal: async ({ world }) => world.s3.relay.bytes.up > 0,
  },

  'S3 500 and 503': s3Fault((random) => ({
    operations: [...WRITES, ...READS],
    skip: random.int(0, 10),
    times: random.int(1, 4),
    fault: random.pick([
      { status: 500, code: 'InternalError' },
      { status: 503, code: 'SlowDown' },
    ]),
  })),
  'S3 reply lost': s3Fault((random) => ({
    operations: WRITES,
    skip: random.int(0, 4),
    times: random.int(1, 2),
    fault: { lose_response: true },
  })),
  'S3 error in a 200': {
    ...s3Fault((random) => ({
      operations: ['complete-upload'],
      skip: 0,
      times: random.int(1, 2),
      fault: { error_in_200: 'InternalError' },
    })),
    applies: (conditions) =>
      onS3(conditions) && conditions.jobs.some((name) => jobKind(name).writes_large_files),
  },
  'S3 denies': s3Fault((random) => ({
    operations: random.pick([
      ['complete-upload', 'put-object'],
      ['delete-object', 'abort-upload'],
      ['list-objects'],
      ['list-uploads'],
    ]),
    skip: random.int(0, 2),
    times: 1000,
    fault: { status: 403, code: 'AccessDenied' },
  })),

  'disk full': {
    applies: onDisk,
    strike: async ({ world, calls, random }) => {
      await world.disk.fill(Math.floor(random.next() ** 2 * 8e6));
      return calls.some(({ running }) => running);
    },
    heal: async ({ world }) => {
      await world.disk.free();
      return undefined;
    },
  },
  'disk read-only': {
    applies: onDisk,
    strike: async ({ world, calls, random }) => {
      await world.disk.makeReadOnly(join(world.dir, random.pick(['backups', 'archives', '.bifract'])));
      return calls.some(({ running }) => running);
    },
    heal: async ({ world }) => {
      for (const folder of ['backups', 'archives', '.bifract'])
        await world.disk.makeWritable(join(world.dir, folder));
      return undefined;
    },
  },
  'folder unreadable': {
    applies: onDisk,
    // Root reads everything; without these two rights it is like another user.
    arm: () => {
      const rights = '-dac_override,-dac_read_search';
      return { wrapper: ['/usr/bin/setpriv', `--bounding-set=${rights}`, `--inh-caps=${rights}`] };
    },
    strike: async ({ world, calls, random }) => {
      await world.disk.makeUnreadable(join(world.dir, random.pick(['backups', 'archives', '.bifract'])));
      return calls.some(({ running }) => running);
    },
    heal: async ({ world }) => {
      for (const folder of ['backups', 'archives', '.bifract'])
        await world.disk.makeReadable(join(world.dir, folder));
      return undefined;
    },
  },
  'file size limit': {
    applies: onDisk,
    arm: ({ random }) => {
      const blocks = Math.round(MOST_BLOCKS ** random.next());
      return { wrapper: ['/bin/sh', '-c', `ulimit -f ${blocks} && exec "$@"`, 'sh'] };
    },
    heal: async ({ calls }) => calls.some(({ code }) => code !== 0),
  },
  "server's disk full": {
    link: 'postgres',
    applies: ({ root, ...conditions }) => root && restores({ root, ...conditions }),
    strike: async ({ world, calls, random }) => {
      await world.server_disk.fill(Math.floor(random.next() ** 2 * 20e6));
      return calls.some(({ running }) => running);
    },
    heal: async ({ world }) => {
      await world.server_disk.free();
      await world.postgres.settled();
      return undefined;
    },
  },
  'file damaged': {
    link: 'postgres',
    applies: ({ storage, ...conditions }) => storage === 'disk' && restores({ storage, ...conditions }),
    strike: damage,
    heal: repairFile,
  },
  'clock jumps': {
    applies: always,
    arm: ({ random }) => {
      const by = random.pick([-1, 1]) * random.pick([1000, 3_600_000, 259_200_000]);
      const node = ['--import', join(import.meta.dirname, 'clock-jump.mjs')];
      return { node, env: { FAULT_CLOCK: `${random.int(0, 1500)}:${by}` } };
    },
    heal: async () => true,
  },
} satisfies Record<string, FaultKind>;

export type FaultName = keyof typeof FAULTS;
export const FAULT_NAMES = Object.keys(FAULTS) as FaultName[];

export function faultKind(name: FaultName): FaultKind {
  return FAULTS[name];
}

const WRITES = [
  'create-upload',
  'upload-part',
  'complete-upload',
  'put-object',
  'delete-object',
  'abort-upload',
];
const READS = ['list-objects', 'list-uploads', 'head-object', 'get-object', 'list-parts'];

function s3Fault(faults: (random: Random) => RequestFaults): FaultKind {
  return {
    applies: onS3,
    arm: ({ world, random }) => world.s3.inject(faults(random)),
    heal: async ({ world }) => {
      const hits = await world.s3.hits();
      await world.s3.inject(undefined);
      return hits > 0;
    },
  };
}

function signal({ calls, random }: Scene, name: NodeJS.Signals): boolean {
  const running = calls.filter((call) => call.running);
  return running.length > 0 && random.pick(running).child.kill(name);
}

async function restart(
  { calls, random }: Scene,
  server: { kill(): Promise<void>; restart(): Promise<void> },
): Promise<boolean> {
  const hit = calls.some(({ running }) => running);
  await server.kill();
  await wait(random.int(0, DOWN_MS));
  await server.restart();
  return hit;
}

function kill(random: Random, pids: readonly number[]): boolean {
  if (pids.length === 0) return false;
  try {
    return process.kill(random.pick(pids), 'SIGKILL');
  } catch {
    // It has ended by itself.
    return false;
  }
}

function cut({ world, calls }: Scene, link: 'postgres' | 'clickhouse' | 's3'): boolean {
  const hit = calls.some(({ running }) => running) && world[link].relay.connections > 0;
  world[link].relay.cut();
  return hit;
}

function stall({ world, calls }: Scene, link: 'postgres' | 'clickhouse' | 's3'): boolean {
  const hit = calls.some(({ running }) => running) && world[link].relay.connections > 0;
  world[link].relay.stall(STALL_MS);
  return hit;
}

const damaged = new WeakMap<Scene, { path: string; bytes: Buffer; inode: number }>();

/** Flips a bit of the file that is being restored. */
async function damage(scene: Scene): Promise<boolean> {
  const { world, calls, random } = scene;
  const call = calls.find(({ args }) => args[0] === 'restore');
  if (!call?.running) return false;
  const path = join(world.dir, 'backups', call.args[1] ?? '');
  const bytes = await readFile(path).catch(() => undefined);
  if (!bytes) return false;
  await using file = await open(path, 'r+');
  const { size, ino: inode } = await file.stat();
  damaged.set(scene, { path, bytes, inode });
  const at = Math.floor(random.next() * size);
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, at);
  await file.write(Buffer.of((buffer[0] ?? 0) ^ 1), 0, 1, at);
  return true;
}

async function repairFile(scene: Scene): Promise<undefined> {
  const before = damaged.get(scene);
  // Another job may have deleted or replaced it.
  const now = before && (await stat(before.path).catch(() => undefined));
  if (before && now?.ino === before.inode) await writeFile(before.path, before.bytes);
}
