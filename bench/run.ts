import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { performancePage } from './tools/page.ts';

/** One row of the summary: a task, and what people use for it today. */
export interface Comparison {
  task: string;
  bifract: string;
  compared_with: string;
  theirs: string;
  /** Speed of bifract divided by theirs. */
  speed: number;
}

/** A row of the table of a benchmark: text by column. */
export type Row = Record<string, string>;

/** A benchmark. */
export interface Bench {
  /** One line: what is measured and compared. */
  title: string;
  /** Measures, and returns the rows of the table. */
  run(): Promise<Row[]>;
  /** The rows that belong into the summary of all benchmarks. */
  summary?(table: readonly Row[]): Comparison[];
}

/** A benchmark that was run. */
export interface Measured {
  name: string;
  bench: Bench;
  table: readonly Row[];
}

// `npm run bench` runs all, `npm run bench -- memory first-frame` the named ones; `--write` renews docs/performance.md.
const args = process.argv.slice(2);
const wanted = args.filter((arg) => arg !== '--write');
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
if (args.includes('--write'))
  await writeFile(join(import.meta.dirname, '../docs/performance.md'), await performancePage(measured));
