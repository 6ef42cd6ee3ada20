import type { Column } from './column.ts';
import { type DynamicColumn, FLATTENED, readDynamic } from './dynamic.ts';
import type { JsonOut } from './json-out.ts';
import { type KeyPath, keyPath } from './key-path.ts';
import { malformed, type Reader, unknown } from './reader.ts';

const OPEN = 123;
const CLOSE = 125;
/** Each costs a byte a row, and an object here. */
const MAX_PATHS = 16_384;

/** A path of a JSON column, with its values. */
interface Path {
  key: KeyPath;
  values: DynamicColumn;
}

/** Objects: their paths one after another, each with a value, or nothing, for every row. */
class JsonColumn implements Column {
  /** As ClickHouse sends them. */
  readonly #paths: Path[];
  /** As ClickHouse writes them. */
  readonly #sorted: Path[];
  /** For each of those, where the bytes are that name its types, and which of them stands for nothing. */
  readonly #from: Uint32Array;
  readonly #none: Uint8Array;
  #bytes: Buffer = Buffer.alloc(0);
  #row = 0;

  constructor(paths: Path[]) {
    this.#paths = paths;
    this.#sorted = paths.toSorted((a, b) => Buffer.compare(a.key.name, b.key.name));
    const same = this.#sorted.some((path, index) => this.#sorted[index + 1]?.key.name.equals(path.key.name));
    if (same) throw malformed('a path that comes twice');
    this.#from = new Uint32Array(paths.length);
    this.#none = Uint8Array.from(this.#sorted, ({ values }) => values.types.length);
  }

  locate(reader: Reader, count: number): void {
    this.#bytes = reader.bytes;
    this.#row = 0;
    for (const { values } of this.#paths) values.locate(reader, count);
    for (const [index, { values }] of this.#sorted.entries()) this.#from[index] = values.at;
  }

  write(out: JsonOut): void {
    const bytes = this.#bytes;
    const row = this.#row++;
    let before: KeyPath | undefined;
    out.byte(OPEN);
    for (let index = 0; index < this.#none.length; index++) {
      // Most rows lack most paths: these cost no more than this.
      const type = bytes[(this.#from[index] as number) + row] as number;
      if (type === this.#none[index]) continue;
      const { key, values } = this.#sorted[index] as Path;
      out.raw(key.after(before));
      values.writeOf(type, out);
      before = key;
    }
    if (before) out.raw(before.closing);
    out.byte(CLOSE);
  }
}

/** What stands before the values: version, paths, and for each path its types. */
export function readJson(reader: Reader, depth: number): Column {
  if (reader.count() !== FLATTENED) throw unknown('another serialization of JSON');
  const count = reader.varint();
  if (count > MAX_PATHS) throw unknown('very many paths');
  const keys = Array.from({ length: count }, () => keyPath(reader.string()));
  return new JsonColumn(keys.map((key) => ({ key, values: readDynamic(reader, depth) })));
}
