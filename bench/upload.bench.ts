import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { BUCKET } from '../test/helpers/s3/test-server.ts';
import type { Bench } from './run.ts';
import { median } from './tools/median.ts';

interface Result {
  seconds: number;
  /** Peak resident memory of the process, bytes. */
  peak_rss: number;
}

const CLIENTS = ['bifract', 'lib-storage'] as const;
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

/** Starts a new server for each upload, as it keeps all objects. */
async function measure(client: string): Promise<Result> {
  const dir = await mkdtemp(join(tmpdir(), 'bifract-bench-'));
  const server = script('../test/helpers/s3/main.ts', [dir, '0', BUCKET]);
  try {
    const url = await firstLine(server);
    return JSON.parse(await firstLine(script('./upload-once.ts', [client, url, mib]))) as Result;
  } finally {
    server.kill('SIGKILL');
    await rm(dir, { recursive: true, force: true });
  }
}

/** Rounds alternate, so that both run under the same load. */
async function measureAll(): Promise<Record<(typeof CLIENTS)[number], Result[]>> {
  const results = { bifract: [] as Result[], 'lib-storage': [] as Result[] };
  for (let round = 0; round < ROUNDS; round++) {
    for (const client of CLIENTS) results[client].push(await measure(client));
  }
  return results;
}

export const bench: Bench = {
  title: `an upload of ${mib} MiB (BENCH_MIB) to an S3 server on this machine, compared with @aws-sdk/lib-storage`,
  async run() {
    const results = await measureAll();
    const speed = (client: (typeof CLIENTS)[number]) =>
      median(results[client].map(({ seconds }) => Number(mib) / seconds));
    return CLIENTS.map((client) => ({
      upload: client,
      'MiB/s': speed(client).toFixed(0),
      'of lib-storage': `${((100 * speed(client)) / speed('lib-storage')).toFixed(0)} %`,
      'peak memory, MiB': (Math.max(...results[client].map(({ peak_rss }) => peak_rss)) / 2 ** 20).toFixed(0),
    }));
  },
};
