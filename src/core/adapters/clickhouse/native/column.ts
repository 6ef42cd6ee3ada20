import type { JsonWriter } from './json-writer.ts';
import type { Reader } from './reader.ts';

/** A column of a block, or a nested column. Values are written in order, each once. */
export interface Column {
  /** Locates the values and skips them, so that a block is known to be complete before a line is written. */
  locate(reader: Reader, count: number): void;
  /** Writes the next value as JSON. */
  write(out: JsonWriter): void;
}
