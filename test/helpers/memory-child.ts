import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** How reading files ends. */
export interface Reading {
  /** For each file, first read by its trailer, then as a whole: the code of the error, or `ok`. */
  codes: string[];
  /** The memory that it took at most, bytes. */
  peak_bytes: number;
}

const CHILD = fileURLToPath(new URL('memory-child-main.ts', import.meta.url));

/**
 * Reads files one after the other in a process of its own, in every way the program does, with a small JavaScript heap. `peak_bytes` is what
 * it took beyond the reading of a small valid file.
 */
export async function readInChild(...paths: string[]): Promise<Reading> {
  const child = fork(CHILD, paths, { execArgv: ['--import', 'tsx', '--max-old-space-size=192'] });
  let reading: Reading | undefined;
  child.on('message', (message) => {
    reading = message as Reading;
  });
  const [exit] = await once(child, 'exit');
  return reading ?? { codes: [`exit ${exit}`, `exit ${exit}`], peak_bytes: Infinity };
}
