import type { Column } from './column.ts';
import { type DynamicColumn, FLATTENED, readDynamic } from './dynamic.ts';
import type { JsonOut } from './json-out.ts';
import { between, closing, type KeyPath, keyPath } from './key-path.ts';
import { malformed, type Reader, unknown } from './reader.ts';

const OPEN = 123;
const CLOSE = 125;
/** Each costs a byte a row, and an object here. */
const MAX_PATHS = 16_384;

/** A path of a JSON column with its values. What comes before its value depends on the path written before it. */
class Path {
  readonly key: KeyPath;
  readonly values: DynamicColumn;
  readonly none: number;
  #before: Path | undefined;
  #bridge: Buffer;

  constructor(key: KeyPath, values: DynamicColumn) {
    this.key = key;
    this.values = values;
    this.none = values.types.length;
    this.#bridge = between(undefined, key);
  }

  bridge(before: Path | undefined): Buffer {
    if (before !== this.#before) {
      this.#bridge = between(before?.key, this.key);
      this.#before = before;
    }
    return this.#bridge;
  }
}

/** Objects: their paths one after another, each with a value, or nothing, for every row. */
class JsonColumn implements Column {
  /** As ClickHouse sends them. */
  readonly #paths: Path[];
  /** As ClickHouse writes them. */
  readonly #sorted: Path[];

  constructor(paths: Path[]) {
    this.#paths = paths;
    this.#sorted = paths.toSorted((a, b) => Buffer.compare(a.key.name, b.key.name));
    const same = this.#sorted.some((path, index) => this.#sorted[index + 1]?.key.name.equals(path.key.name));
    if (same) throw malformed('a path that comes twice');
  }

  locate(reader: Reader, count: number): void {
    for (const { values } of this.#paths) values.locate(reader, count);
  }

  write(out: JsonOut): void {
    out.byte(OPEN);
    let before: Path | undefined;
    for (const path of this.#sorted) {
      const { values } = path;
      if (values.bytes[values.at] === path.none) {
        values.at++;
        continue;
      }
      out.raw(path.bridge(before));
      values.write(out);
      before = path;
    }
    if (before) out.raw(closing(before.key));
    out.byte(CLOSE);
  }
}

/** What stands before the values: version, paths, and for each path its types. */
export function readJson(reader: Reader, depth: number): Column {
  if (reader.count() !== FLATTENED) throw unknown('another serialization of JSON');
  const count = reader.varint();
  if (count > MAX_PATHS) throw unknown('very many paths');
  const keys = Array.from({ length: count }, () => keyPath(reader.string()));
  return new JsonColumn(keys.map((key) => new Path(key, readDynamic(reader, depth))));
}
