import { verifyFile } from '../src/core/features/inspect/verify-file.ts';
import { archiveBytes, LineChecker, readContent, readStream } from '../src/core/format/index.ts';
import { formatBytes } from '../src/core/text/units.ts';
import type { Bench } from './run.ts';
import { type BigArchive, bigArchive } from './tools/big-archive.ts';

const CONTENT_BYTES = 1024 ** 3;

export const bench: Bench = {
  title: 'verification of an archive of 1 GiB of content, and its steps',
  async run() {
    const archive = await bigArchive(CONTENT_BYTES);
    try {
      const { target, key } = archive;
      const stored = () => target.storage.stream(target.object.name);
      const content = () => readContent(stored(), { keys: [key] });
      const steps: [string, () => Promise<unknown>][] = [
        ['read', () => drain(stored())],
        ['read, decrypt', () => drain(readStream(stored(), { keys: [key] }))],
        ['+ decompress, hash twice, count lines', () => drain(content())],
        ['+ check every line', () => checkLines(archiveBytes(content()))],
        ['verify', () => verify(archive)],
      ];
      const table = [];
      for (const [name, step] of steps) table.push(await measure(name, archive, step));
      return table;
    } finally {
      await archive.remove();
    }
  },
};

async function measure(name: string, { summary }: BigArchive, step: () => Promise<unknown>) {
  const cpu = process.cpuUsage();
  const started = performance.now();
  await step();
  const seconds = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  return {
    step: name,
    seconds: seconds.toFixed(2),
    'content/s': formatBytes(summary.content_bytes / seconds),
    'CPU s': ((user + system) / 1e6).toFixed(2),
  };
}

async function verify({ target, key }: BigArchive): Promise<void> {
  const item = await verifyFile(target, { keys: [key], quick: false });
  if (!item.ok || !item.proven) throw new Error(item.error?.message ?? 'Not proven complete');
}

async function checkLines(blocks: AsyncIterable<Buffer>): Promise<void> {
  const checker = new LineChecker();
  for await (const block of blocks) checker.add(block);
}

async function drain(pieces: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of pieces);
}
