import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { BUCKET } from '../test/helpers/s3/lab.ts';
import type { Bench } from './run.ts';
import { median } from './tools/median.ts';

interface Result {
  seconds: number;
  /** The most resident memory of the process, bytes. */
  most_rss: number;
}

const WAYS = ['ours', 'lib-storage'] as const;
const mib = process.env.BENCH_MIB ?? '512';
const ROUNDS = 3;

function script(path: string, args: string[]): ChildProcess {
  const file = fileURLToPath(new URL(path, import.meta.url));
  return spawn(process.execPath, ['--import', 'tsx', file, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

async function firstLine(child: ChildProcess): Promise<string> {
  const lines = createInterface(child.stdout as NodeJS.ReadableStream);
  const [line] = await once(lines, 'line');
  return String(line);
}

/** A server of its own for each upload, for it keeps what it is given. */
async function measure(way: string): Promise<Result> {
  const dir = await mkdtemp(join(tmpdir(), 'bifract-bench-'));
  const server = script('../test/helpers/s3/main.ts', [dir, '0', BUCKET]);
  try {
    const url = await firstLine(server);
    return JSON.parse(await firstLine(script('./upload-once.ts', [way, url, mib]))) as Result;
  } finally {
    server.kill('SIGKILL');
    await rm(dir, { recursive: true, force: true });
  }
}

/** Rounds alternate, so that both meet the same machine. */
async function measureAll(): Promise<Record<(typeof WAYS)[number], Result[]>> {
  const results = { ours: [] as Result[], 'lib-storage': [] as Result[] };
  for (let round = 0; round < ROUNDS; round++) {
    for (const way of WAYS) results[way].push(await measure(way));
  }
  return results;
}

export const bench: Bench = {
  title: `an upload of ${mib} MiB (BENCH_MIB) to an S3 server on this machine, beside @aws-sdk/lib-storage`,
  async run() {
    const results = await measureAll();
    const speed = (way: (typeof WAYS)[number]) =>
      median(results[way].map(({ seconds }) => Number(mib) / seconds));
    return WAYS.map((way) => ({
      upload: way,
      'MiB/s': speed(way).toFixed(0),
      'of lib-storage': `${((100 * speed(way)) / speed('lib-storage')).toFixed(0)} %`,
      'most memory, MiB': (Math.max(...results[way].map(({ most_rss }) => most_rss)) / 2 ** 20).toFixed(0),
    }));
  },
};
