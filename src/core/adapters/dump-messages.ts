import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

const KEPT = 20;
const LONGEST = 2000;
const TABLE = /^pg_dump: dumping contents of table "(.+)"$/;
const PID = /^bifract pid (\d+)$/;
const TROUBLE = /^pg_dump: (error|fatal|detail|hint|warning|\[)/;

/**
 * What pg_dump says of itself: the tables as they come, its process id where the shell that began it told, and
 * of all the rest only what is wrong. Messages are expected in English.
 */
export class DumpMessages {
  /** Id of the process, as its own system counts; undefined where it ended without telling. */
  readonly pid: Promise<number | undefined>;
  readonly #lines: string[] = [];
  #inTrouble = true;

  constructor(stderr: Readable, onTable: ((table: string) => void) | undefined) {
    const { promise, resolve } = Promise.withResolvers<number | undefined>();
    this.pid = promise;
    const lines = createInterface({ input: stderr });
    lines.on('line', (line) => {
      const pid = PID.exec(line)?.[1];
      const table = TABLE.exec(line)?.[1];
      if (pid !== undefined) resolve(Number(pid));
      else if (table !== undefined) onTable?.(table);
      else this.#keep(line);
    });
    lines.on('close', () => resolve(undefined));
  }

  /** The last lines that tell of trouble, as one text. */
  trouble(): string {
    return this.#lines.join('\n').slice(-LONGEST);
  }

  /** A line without the program's name goes on with the one before it, or is of another program. */
  #keep(line: string): void {
    if (line.startsWith('pg_dump: ')) this.#inTrouble = TROUBLE.test(line);
    if (!this.#inTrouble || line.trim() === '') return;
    this.#lines.push(line);
    if (this.#lines.length > KEPT) this.#lines.shift();
  }
}
