import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { performancePage } from './tools/page.ts';

/** A row of the table of a benchmark: text by column. */
export type Row = Record<string, string>;

/** A benchmark. */
export interface Bench {
  /** One line: what is measured and compared. */
  title: string;
  /** Measures, and returns the rows of the table. */
  run(): Promise<Row[]>;
}

/** A benchmark that was run. */
export interface Measured {
  name: string;
  bench: Bench;
  table: readonly Row[];
}

// `npm run bench` runs all, `npm run bench -- memory first-frame` the named ones; with `--write`, all are written to
// docs/performance.md.
const args = process.argv.slice(2);
const wanted = args.filter((arg) => arg !== '--write');
const write = args.includes('--write');
if (write && wanted.length > 0) throw new Error('--write takes no names: the page has all benchmarks');
const names = (await readdir(import.meta.dirname))
  .filter((file) => file.endsWith('.bench.ts'))
  .map((file) => file.replace('.bench.ts', ''))
  .filter((name) => wanted.length === 0 || wanted.includes(name));

const measured: Measured[] = [];
for (const name of names.sort()) {
  const { bench } = (await import(join(import.meta.dirname, `${name}.bench.ts`))) as { bench: Bench };
  console.log(`\n${name}: ${bench.title}`);
  const table = await bench.run();
  console.table(table);
  measured.push({ name, bench, table });
}
if (write)
  await writeFile(join(import.meta.dirname, '../docs/performance.md'), await performancePage(measured));
