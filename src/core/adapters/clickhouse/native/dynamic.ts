import type { Column } from './column.ts';
import { type JsonWriter, Literal } from './json-writer.ts';
import { malformed, type Reader, unsupported } from './reader.ts';
import { readColumn } from './types.ts';

/** Version of the flattened serialization of Dynamic and JSON. */
export const FLATTENED = 3;
const NULL = new Literal('null');
/** With more types, ClickHouse uses more than one byte per type index. */
const MAX_TYPES = 254;

/** Values of several types: a type index byte for each row, then the values of each type. */
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
      if (type >= counts.length) throw malformed('invalid type index');
      counts[type] = (counts[type] as number) + 1;
    }
    this.bytes = reader.bytes;
    this.at = from;
    for (const [index, type] of this.types.entries()) type.locate(reader, counts[index] as number);
  }

  write(out: JsonWriter): void {
    this.writeType(this.bytes[this.at++] as number, out);
  }

  /** Writes the next value of a type, for a caller that has read the type index. */
  writeType(type: number, out: JsonWriter): void {
    const values = this.types[type];
    if (values) values.write(out);
    else out.raw(NULL);
  }
}

/** Reads the prefix: version, types, and the prefix of each type. */
export function readDynamic(reader: Reader, depth: number): DynamicColumn {
  if (reader.count() !== FLATTENED) throw unsupported('unknown serialization of Dynamic');
  const count = reader.varint();
  if (count > MAX_TYPES) throw unsupported('too many types in a path');
  const names = Array.from({ length: count }, () => reader.string().toString('latin1'));
  return new DynamicColumn(names.map((name) => readColumn(name, reader, depth + 1)));
}
