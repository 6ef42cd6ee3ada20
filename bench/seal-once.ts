/** `seal-once.ts LINES FOLDER`: seals the lines of a file into another one twice and prints seconds and CPU seconds of the second run as JSON. */
import { readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { DiskStorage } from '../src/core/adapters/disk/storage.ts';
import { countLines } from '../src/core/format/content/archive-frames.ts';
import { parseKey, writeArchive } from '../src/core/format/index.ts';
import type { LineBlock } from '../src/core/ports/log-database.ts';

/** Size of the blocks that ClickHouse sends. */
const BLOCK = 256 << 10;
const NEWLINE = 0x0a;

const [file = '', folder = ''] = process.argv.slice(2);
const name = 'sealed.bench';

function blocksOf(bytes: Buffer): LineBlock[] {
  const blocks: LineBlock[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf(NEWLINE, at + BLOCK) + 1 || bytes.length;
    const block = bytes.subarray(at, end);
    blocks.push({ bytes: block, lines: countLines(block).count });
    at = end;
  }
  return blocks;
}

const blocks = blocksOf(await readFile(file));
const fractal = { id: 'f0000000-0000-4000-8000-000000000001', name: 'bench' };
const head = { tool: 'bench', fractal, period: null, split: 'none', fields: true } as const;
const storage = new DiskStorage(folder);

async function sealOnce(): Promise<{ seconds: number; cpu: number }> {
  const [cpu, started] = [process.cpuUsage(), performance.now()];
  const sealed = writeArchive(Readable.from(blocks), { key: parseKey('5e'.repeat(32)), head });
  const { size_bytes } = await storage.put(name, sealed.bytes);
  const seconds = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  if (size_bytes !== sealed.summary().size_bytes) throw new Error('The stored size differs from the summary');
  await storage.delete(name);
  return { seconds, cpu: (user + system) / 1e6 };
}

// Warms up the compiler.
await sealOnce();
process.stdout.write(`${JSON.stringify(await sealOnce())}\n`);
