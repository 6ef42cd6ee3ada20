import type { Column } from './column.ts';
import { type DynamicColumn, FLATTENED, readDynamic } from './dynamic.ts';
import type { JsonWriter } from './json-writer.ts';
import { type KeyPath, keyPath } from './key-path.ts';
import { malformed, type Reader, unsupported } from './reader.ts';

const OPEN = 123;
const CLOSE = 125;
/** Each path takes a byte per row, and an object here. */
const MAX_PATHS = 16_384;

/** A path of a JSON column and its values. */
interface Path {
  key: KeyPath;
  values: DynamicColumn;
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
    this.#none = Uint8Array.from(this.#sorted, ({ values }) => values.types.length);
  }

  locate(reader: Reader, count: number): void {
    this.#bytes = reader.bytes;
    this.#row = 0;
    for (const { values } of this.#paths) values.locate(reader, count);
    for (const [index, { values }] of this.#sorted.entries()) this.#from[index] = values.at;
  }

  write(out: JsonWriter): void {
    const bytes = this.#bytes;
    const row = this.#row++;
    let previous: KeyPath | undefined;
    out.byte(OPEN);
    for (let index = 0; index < this.#none.length; index++) {
      // Most rows lack most paths: keep this case cheap.
      const type = bytes[(this.#from[index] as number) + row] as number;
      if (type === this.#none[index]) continue;
      const { key, values } = this.#sorted[index] as Path;
      out.raw(key.prefixAfter(previous));
      values.writeType(type, out);
      previous = key;
    }
    if (previous) out.raw(previous.closing);
    out.byte(CLOSE);
  }
}

/** Reads the prefix: version, paths, and the types of each path. */
export function readJson(reader: Reader, depth: number): Column {
  if (reader.count() !== FLATTENED) throw unsupported('unknown serialization of JSON');
  const count = reader.varint();
  if (count > MAX_PATHS) throw unsupported('too many paths');
  const keys = Array.from({ length: count }, () => keyPath(reader.string()));
  return new JsonColumn(keys.map((key) => ({ key, values: readDynamic(reader, depth) })));
}
