import { openArchive } from '../src/core/features/search/browse.ts';
import { formatBytes } from '../src/core/text/units.ts';
import type { Bench } from './run.ts';
import { type BigArchive, bigArchive } from './tools/big-archive.ts';
import { countReads } from './tools/counting-storage.ts';

const CONTENT_BYTES = 1024 ** 3;
const WINDOW_ROWS = 50;

export const bench: Bench = {
  title: `a window of ${WINDOW_ROWS} rows from an archive of 1 GiB of content, cold start`,
  async run() {
    const archive = await bigArchive(CONTENT_BYTES);
    try {
      const rows = archive.summary.rows;
      // The first run includes compiling and loading code.
      await measure(archive, 'first in the process', 0.3);
      const positions: [string, number][] = [
        ['at the start', 0],
        ['in the middle', 0.5],
        ['at the end', 1 - WINDOW_ROWS / rows],
      ];
      const table = [];
      for (const [name, position] of positions) table.push(await measure(archive, name, position));
      return table;
    } finally {
      await archive.remove();
    }
  },
};

async function measure({ target, key, summary }: BigArchive, name: string, position: number) {
  const counted = countReads(target.storage);
  const started = performance.now();
  const browser = await openArchive({ ...target, storage: counted.storage }, [key]);
  const opened = performance.now();
  const from = Math.floor(summary.rows * position);
  const read = await browser.read(from, WINDOW_ROWS);
  const ended = performance.now();
  await browser.close();
  if (read.length !== WINDOW_ROWS || read[0]?.index !== from) throw new Error('Wrong rows');
  return {
    window: name,
    stored: formatBytes(summary.size_bytes),
    read: formatBytes(counted.bytes()),
    reads: `${counted.reads()}`,
    'open ms': (opened - started).toFixed(0),
    'total ms': (ended - started).toFixed(0),
  };
}
