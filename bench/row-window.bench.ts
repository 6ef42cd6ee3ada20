import { formatBytes } from '../src/components/view/units.ts';
import { browse } from '../src/core/jobs/browse.ts';
import type { Bench } from './run.ts';
import { type BigArchive, bigArchive } from './tools/big-archive.ts';
import { countReads } from './tools/counting-storage.ts';

const CONTENT_BYTES = 1024 ** 3;
const WINDOW_ROWS = 50;

export const bench: Bench = {
  title: `a window of ${WINDOW_ROWS} rows out of an archive of 1 GiB of content, from cold`,
  async run() {
    const archive = await bigArchive(CONTENT_BYTES);
    try {
      const rows = archive.summary.rows;
      // The first one pays for what the process compiles and loads.
      await measure(archive, 'first of the process', 0.3);
      const places: [string, number][] = [
        ['at the beginning', 0],
        ['in the middle', 0.5],
        ['at the end', 1 - WINDOW_ROWS / rows],
      ];
      const table = [];
      for (const [name, place] of places) table.push(await measure(archive, name, place));
      return table;
    } finally {
      await archive.remove();
    }
  },
};

async function measure({ target, key, summary }: BigArchive, name: string, place: number) {
  const counted = countReads(target.storage);
  const began = performance.now();
  const browser = await browse({ ...target, storage: counted.storage }, [key]);
  const opened = performance.now();
  const from = Math.floor(summary.rows * place);
  const read = await browser.read(from, WINDOW_ROWS);
  const ended = performance.now();
  await browser.close();
  if (read.length !== WINDOW_ROWS || read[0]?.index !== from)
    throw new Error('not the rows that were asked for');
  return {
    window: name,
    stored: formatBytes(summary.size_bytes),
    read: formatBytes(counted.bytes()),
    reads: `${counted.reads()}`,
    'open ms': (opened - began).toFixed(0),
    'in all ms': (ended - began).toFixed(0),
  };
}
