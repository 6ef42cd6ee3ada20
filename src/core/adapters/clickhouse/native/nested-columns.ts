import { type JsonWriter, Literal } from './json-writer.ts';
import { type KeyPath, keyPath } from './key-path.ts';
import { malformed, type Reader, unsupported } from './reader.ts';
import { type Column, scalarColumn } from './scalar-columns.ts';

const EMPTY = Buffer.alloc(0);
const NULL = new Literal('null');
const OFFSET_BYTES = 8;
/** Empty objects take no bytes, so the number of elements needs its own limit. */
const MAX_ELEMENTS = 1 << 24;
/** Version of the flattened serialization of Dynamic and JSON. */
const FLATTENED = 3;
/** With more types, ClickHouse uses more than one byte per type index. */
const MAX_TYPES = 254;
/** In place of the type index that means no value: MAX_TYPES is less. */
const TYPED = 255;
const OPEN = 123;
const CLOSE = 125;
/** Each path takes a byte per row, and an object here. */
const MAX_PATHS = 16_384;
const MAX_DEPTH = 32;
const JSON_TYPE = /^JSON(?:\((.*)\))?$/s;
const JSON_LIMIT = /^max_dynamic_(?:paths|types)=\d+$/;
/** A path with a type of its own; other names would be quoted. */
const TYPED_PATH = /^([A-Za-z_][\w.]*) (\w+(?:\([\w ,'/+-]*\))?)$/;

/**
 * Creates the column of a type after reading its prefix (paths and nested types). Throws `DecodeError` (`unsupported`) for
 * every type whose encoding or text is not known for certain.
 */
export function readColumn(type: string, reader: Reader, depth = 0): Column {
  if (depth > MAX_DEPTH) throw unsupported('types nested too deep');
  const [, outer, inner = ''] = /^(Array|Nullable)\((.*)\)$/.exec(type) ?? [];
  if (outer === 'Array') return new ArrayColumn(readColumn(inner, reader, depth + 1));
  if (outer === 'Nullable') return new NullableColumn(readScalarOrJson(inner, reader, depth + 1));
  if (type === 'Dynamic') return readDynamic(reader, depth);
  return readScalarOrJson(type, reader, depth);
}

/** A type allowed inside `Nullable`. */
function readScalarOrJson(type: string, reader: Reader, depth: number): Column {
  const scalar = scalarColumn(type);
  if (scalar) return scalar;
  const json = JSON_TYPE.exec(type);
  if (json) return readJson(reader, typedPaths(json[1]), depth);
  throw unsupported(`type ${type.slice(0, 100)}`);
}

/** End offsets of the arrays, then all elements. */
class ArrayColumn implements Column {
  readonly #elements: Column;
  #ends: Buffer = EMPTY;
  #at = 0;
  #start = 0;

  constructor(elements: Column) {
    this.#elements = elements;
  }

  locate(reader: Reader, count: number): void {
    this.#ends = reader.bytes;
    this.#at = reader.at;
    this.#start = 0;
    let last = 0;
    for (let left = count; left > 0; left--) {
      const end = reader.count();
      if (end < last) throw malformed('array offsets are not ascending');
      last = end;
    }
    if (last > MAX_ELEMENTS) throw unsupported('too many array elements');
    this.#elements.locate(reader, last);
  }

  write(out: JsonWriter): void {
    const end = this.#ends.readUInt32LE(this.#at);
    this.#at += OFFSET_BYTES;
    out.byte(91);
    for (let index = this.#start; index < end; index++) {
      if (index > this.#start) out.byte(44);
      this.#elements.write(out);
    }
    out.byte(93);
    this.#start = end;
  }
}

/** A null flag for each value, then all values, with a placeholder for each null. */
class NullableColumn implements Column {
  readonly #values: Column;
  #nulls: Buffer = EMPTY;
  #at = 0;

  constructor(values: Column) {
    this.#values = values;
  }

  locate(reader: Reader, count: number): void {
    this.#nulls = reader.bytes;
    this.#at = reader.skip(count);
    for (let at = this.#at; at < this.#at + count; at++)
      if ((this.#nulls[at] as number) > 1) throw malformed('invalid null flag');
    this.#values.locate(reader, count);
  }

  write(out: JsonWriter): void {
    const from = out.at;
    this.#values.write(out);
    if (this.#nulls[this.#at++] === 0) return;
    out.at = from;
    out.raw(NULL);
  }
}

/** Values of several types: a type index byte for each row, then the values of each type. */
class DynamicColumn implements Column {
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
function readDynamic(reader: Reader, depth: number): DynamicColumn {
  if (reader.count() !== FLATTENED) throw unsupported('unknown serialization of Dynamic');
  const count = reader.varint();
  if (count > MAX_TYPES) throw unsupported('too many types in a path');
  const names = Array.from({ length: count }, () => reader.string().toString('latin1'));
  return new DynamicColumn(names.map((name) => readColumn(name, reader, depth + 1)));
}

/** A path of a JSON column and its values. */
interface Path {
  key: KeyPath;
  /** Of a typed path, a column with a value for every row. */
  values: DynamicColumn | Column;
}

/** JSON objects: for each path a value, or none, for every row. */
class JsonColumn implements Column {
  /** In the order that ClickHouse sends them. */
  readonly #paths: Path[];
  /** In the order that ClickHouse writes them as text. */
  readonly #sorted: Path[];
  /** For each of `#sorted`: offset of its type index bytes, and the type index that means no value. */
  readonly #from: Uint32Array;
  readonly #none: Uint8Array;
  #bytes: Buffer = Buffer.alloc(0);
  #row = 0;

  constructor(paths: Path[]) {
    this.#paths = paths;
    this.#sorted = paths.toSorted((a, b) => Buffer.compare(a.key.name, b.key.name));
    const same = this.#sorted.some((path, index) => this.#sorted[index + 1]?.key.name.equals(path.key.name));
    if (same) throw malformed('duplicate path');
    this.#from = new Uint32Array(paths.length);
    this.#none = Uint8Array.from(this.#sorted, ({ values }) =>
      values instanceof DynamicColumn ? values.types.length : TYPED,
    );
  }

  locate(reader: Reader, count: number): void {
    this.#bytes = reader.bytes;
    this.#row = 0;
    for (const { values } of this.#paths) values.locate(reader, count);
    for (const [index, { values }] of this.#sorted.entries())
      if (values instanceof DynamicColumn) this.#from[index] = values.at;
  }

  write(out: JsonWriter): void {
    const bytes = this.#bytes;
    const row = this.#row++;
    let previous: KeyPath | undefined;
    out.byte(OPEN);
    for (let index = 0; index < this.#none.length; index++) {
      const none = this.#none[index] as number;
      if (none === TYPED) {
        const { key, values } = this.#sorted[index] as Path;
        out.raw(key.prefixAfter(previous));
        values.write(out);
        previous = key;
        continue;
      }
      // Most rows lack most paths: keep this case cheap.
      const type = bytes[(this.#from[index] as number) + row] as number;
      if (type === none) continue;
      const { key, values } = this.#sorted[index] as Path;
      out.raw(key.prefixAfter(previous));
      (values as DynamicColumn).writeType(type, out);
      previous = key;
    }
    if (previous) out.raw(previous.closing);
    out.byte(CLOSE);
  }
}

/**
 * The paths of a JSON type that have types of their own, in the order in which their values are sent: by name. Throws
 * `DecodeError` for everything else that a type can have.
 */
function typedPaths(parameters = ''): Path[] {
  const paths: Path[] = [];
  for (const parameter of parameters === '' ? [] : parameters.split(/, (?![^(]*\))/)) {
    if (JSON_LIMIT.test(parameter)) continue;
    const [, name, type = ''] = TYPED_PATH.exec(parameter) ?? [];
    const values = name !== undefined && scalarColumn(type);
    if (!values) throw unsupported(`JSON with ${parameter.slice(0, 100)}`);
    paths.push({ key: keyPath(Buffer.from(name)), values });
  }
  return paths.toSorted((a, b) => Buffer.compare(a.key.name, b.key.name));
}

/** Reads the prefix: version, other paths than the typed ones, and the types of each. */
function readJson(reader: Reader, typed: readonly Path[], depth: number): Column {
  if (reader.count() !== FLATTENED) throw unsupported('unknown serialization of JSON');
  const count = reader.varint();
  if (count > MAX_PATHS) throw unsupported('too many paths');
  const keys = Array.from({ length: count }, () => keyPath(reader.string()));
  return new JsonColumn([...typed, ...keys.map((key) => ({ key, values: readDynamic(reader, depth) }))]);
}
