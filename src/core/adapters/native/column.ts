import type { JsonOut } from './json-out.ts';
import type { Reader } from './reader.ts';

/** A column of a block, or of values inside one. Its values are written in their order, each once. */
export interface Column {
  /** Finds where its values are, and passes over them: so a block is known to be whole before a line is written. */
  locate(reader: Reader, count: number): void;
  /** Writes the next value as JSON. */
  write(out: JsonOut): void;
}
