import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** A benchmark: what it prints are rows of name and figures. */
export interface Bench {
  /** One line: what is measured, side by side with what. */
  title: string;
  run(): Promise<Record<string, string>[]>;
}

// `npm run bench` runs them all, `npm run bench -- memory first-frame` these.
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
