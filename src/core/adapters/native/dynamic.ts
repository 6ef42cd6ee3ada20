import type { Column } from './column.ts';
import { type JsonOut, Literal } from './json-out.ts';
import { malformed, type Reader, unknown } from './reader.ts';
import { readColumn } from './types.ts';

/** The version of the flattened serialization, of Dynamic and of JSON. */
export const FLATTENED = 3;
const NULL = new Literal('null');
/** With more types than this, ClickHouse needs more than a byte to name one. */
const MAX_TYPES = 254;

/** Values of several types: for each row a byte that names its type, then the values of each type. */
export class DynamicColumn implements Column {
  readonly types: Column[];
  bytes: Buffer = Buffer.alloc(0);
  at = 0;

  constructor(types: Column[]) {
    this.types = types;
  }

  locate(reader: Reader, count: number): void {
    const from = reader.skip(count);
    const counts = new Uint32Array(this.types.length + 1);
    for (let at = from; at < from + count; at++) {
      const type = reader.bytes[at] as number;
      if (type >= counts.length) throw malformed('a value of a type that does not exist');
      counts[type] = (counts[type] as number) + 1;
    }
    this.bytes = reader.bytes;
    this.at = from;
    for (const [index, type] of this.types.entries()) type.locate(reader, counts[index] as number);
  }

  write(out: JsonOut): void {
    this.writeOf(this.bytes[this.at++] as number, out);
  }

  /** The next value of a type: for whoever knows which type comes next. */
  writeOf(type: number, out: JsonOut): void {
    const values = this.types[type];
    if (values) values.write(out);
    else out.raw(NULL);
  }
}

/** What stands before the values: version, types, and what stands before theirs. */
export function readDynamic(reader: Reader, depth: number): DynamicColumn {
  if (reader.count() !== FLATTENED) throw unknown('another serialization of Dynamic');
  const count = reader.varint();
  if (count > MAX_TYPES) throw unknown('a path of very many types');
  const names = Array.from({ length: count }, () => reader.string().toString('latin1'));
  return new DynamicColumn(names.map((name) => readColumn(name, reader, depth + 1)));
}
