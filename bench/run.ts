import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** A benchmark. `run` returns the rows of its result table. */
export interface Bench {
  /** One line: what is measured and compared. */
  title: string;
  run(): Promise<Record<string, string>[]>;
}

// `npm run bench` runs all, `npm run bench -- memory first-frame` the named ones.
const wanted = process.argv.slice(2);
const names = (await readdir(import.meta.dirname))
  .filter((file) => file.endsWith('.bench.ts'))
  .map((file) => file.replace('.bench.ts', ''))
  .filter((name) => wanted.length === 0 || wanted.includes(name));

for (const name of names.sort()) {
  const { bench } = (await import(join(import.meta.dirname, `${name}.bench.ts`))) as { bench: Bench };
  console.log(`\n${name}: ${bench.title}`);
  console.table(await bench.run());
}
