import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

const MAX_LINES = 20;
const MAX_LENGTH = 2000;
const TABLE = /^pg_dump: dumping contents of table "(.+)"$/;
const PID = /^bifract pid (\d+)$/;
const ERROR = /^pg_dump: (error|fatal|detail|hint|warning|\[)/;

/**
 * Parses the messages of pg_dump, which must be in English: the tables, its process id if the shell that started it
 * printed that, and errors.
 */
export class DumpMessages {
  /** Process id, inside its container if it has one; undefined if the process ended without printing it. */
  readonly pid: Promise<number | undefined>;
  readonly #lines: string[] = [];
  #inError = true;

  constructor(stderr: Readable, onTable: ((table: string) => void) | undefined) {
    const { promise, resolve } = Promise.withResolvers<number | undefined>();
    this.pid = promise;
    const lines = createInterface({ input: stderr });
    lines.on('line', (line) => {
      const pid = PID.exec(line)?.[1];
      const table = TABLE.exec(line)?.[1];
      if (pid !== undefined) resolve(Number(pid));
      else if (table !== undefined) onTable?.(table);
      else this.#keepErrors(line);
    });
    lines.on('close', () => resolve(undefined));
  }

  /** The last error lines, as one text. */
  errorText(): string {
    return this.#lines.join('\n').slice(-MAX_LENGTH);
  }

  /** A line without the program's name continues the previous one, or comes from another program. */
  #keepErrors(line: string): void {
    if (line.startsWith('pg_dump: ')) this.#inError = ERROR.test(line);
    if (!this.#inError || line.trim() === '') return;
    this.#lines.push(line);
    if (this.#lines.length > MAX_LINES) this.#lines.shift();
  }
}
