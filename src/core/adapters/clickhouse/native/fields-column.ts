import { ColumnBytes, type Source } from './column-bytes.ts';

/** Version of the flattened serialization of Dynamic and JSON. */
const FLATTENED = 3;
/** Rows that a path has room for once it has a value. */
const START_ROWS = 1024;
const NO_ROWS = new Uint8Array();
/** Of an object in an array, if the column has ClickHouse's own limits. */
const NESTED_TYPE = 'JSON(max_dynamic_types=16, max_dynamic_paths=256)';
const NESTED_PATHS = 256;
/** Keys that are remembered from block to block: more than there are paths in a block. */
const MAX_KEYS = 2000;
/** Also rows that are sent as text have keys. */
const FULL_KEYS = 20_000;
/** Objects within objects. */
export const MAX_DEPTH = 16;
const QUOTE = 0x22;
const DOT = 0x2e;
/** Texts of keys (latin1) that ClickHouse writes as they are, and within the object that they are in. */
const CANONICAL_KEY = /^[^%./\\\xe2]+$/;

/** What a value is stored as. The first ones may be elements of arrays. */
export const KIND = { string: 0, int: 1, float: 2, bool: 3, uint: 4, objects: 5, array: 6 } as const;
const TYPES = ['String', 'Int64', 'Float64', 'Bool', 'UInt64', `Array(${NESTED_TYPE})`];
/** All kinds, with those of arrays: `KIND.array` plus that of the elements. */
export const KINDS = KIND.array + KIND.bool + 1;

/** Kinds of elements of arrays. */
const ELEMENTS = [KIND.string, KIND.int, KIND.float, KIND.bool];

/** Values of one type in one path. */
export class Values {
  readonly type: string;
  readonly bytes = new ColumnBytes();
  /** Index among the types of the path in this block, from 1; 0: not used. */
  index = 0;

  constructor(type: string) {
    this.type = type;
  }

  prefix(_out: ColumnBytes): void {}

  data(out: ColumnBytes): void {
    out.append(this.bytes.view());
  }

  size(): number {
    return this.bytes.at;
  }

  clear(): void {
    this.bytes.clear();
    this.index = 0;
  }
}

/** End offsets in `bytes`, then null flags, then elements. */
export class Arrays extends Values {
  readonly nulls = new ColumnBytes();
  readonly elements = new ColumnBytes();
  count = 0;

  override data(out: ColumnBytes): void {
    super.data(out);
    out.append(this.nulls.view());
    out.append(this.elements.view());
  }

  override size(): number {
    return super.size() + this.nulls.at + this.elements.at;
  }

  override clear(): void {
    super.clear();
    this.nulls.clear();
    this.elements.clear();
    this.count = 0;
  }
}

/** Arrays of objects: end offsets, then a column of their own. */
export class ObjectArrays extends Values {
  readonly fields: FieldsColumn;

  constructor(type: string, outer: FieldsColumn) {
    super(type);
    this.fields = new FieldsColumn({ typed: [], max_paths: NESTED_PATHS, nests: false }, outer);
  }

  override prefix(out: ColumnBytes): void {
    this.fields.prefix(out);
  }

  override data(out: ColumnBytes): void {
    super.data(out);
    this.fields.data(out);
  }

  override size(): number {
    return super.size() + this.fields.size();
  }

  override clear(): void {
    super.clear();
    this.fields.clear();
  }
}

/** A path and its values in this block. */
export class Path {
  readonly name: string;
  readonly owner: FieldsColumn;
  /** Values of a path that is always a String: one for each row up to `rows`. */
  readonly typed: ColumnBytes | undefined;
  /** Whether the block has values of it. */
  used = false;
  /** The object that it was last seen in, and the line that it would be new in. */
  seen = 0;
  rows = 0;
  #kinds = NO_ROWS;
  readonly #byKind: (Values | undefined)[] = new Array(KINDS);
  readonly #types: Values[] = [];

  constructor(name: string, owner: FieldsColumn, typed?: ColumnBytes) {
    this.name = name;
    this.owner = owner;
    this.typed = typed;
  }

  /** The column for a value of this kind in the current row. */
  add(kind: number): Values {
    let values = this.#byKind[kind];
    if (!values) {
      values = newValues(kind, this.owner);
      this.#byKind[kind] = values;
    }
    if (values.index === 0) values.index = this.#types.push(values);
    const { row } = this.owner;
    if (row >= this.#kinds.length) this.#grow(row);
    this.#kinds[row] = values.index;
    this.rows = row + 1;
    if (!this.used) this.owner.use(this);
    return values;
  }

  /**
   * What ClickHouse makes of the elements of an array, which depends on the arrays before it; negative if that is not
   * known. `kind` is that of the elements; negative: there are none, or all are null.
   */
  elementKind(kind: number): number {
    if (kind >= 0) return kind === KIND.int && this.#has(KIND.float) ? -1 : kind;
    const [first, second] = ELEMENTS.filter((other) => this.#has(other));
    if (second !== undefined || (this.#byKind[KIND.objects]?.index ?? 0) > 0) return -1;
    return first ?? KIND.string;
  }

  /** Whether the block has arrays of this kind. */
  #has(kind: number): boolean {
    return (this.#byKind[KIND.array + kind]?.index ?? 0) > 0;
  }

  /** The column of objects in arrays that this path may get values in. */
  objects(): FieldsColumn {
    this.#byKind[KIND.objects] ??= newValues(KIND.objects, this.owner);
    return (this.#byKind[KIND.objects] as ObjectArrays).fields;
  }

  addTyped(source: Source, from: number, to: number): void {
    const { typed, owner } = this;
    if (!typed) return;
    typed.zeros(owner.row - this.rows);
    typed.text(source, from, to);
    this.rows = owner.row + 1;
  }

  prefix(out: ColumnBytes): void {
    out.int64(FLATTENED);
    out.varint(this.#types.length);
    for (const { type } of this.#types) out.latin1(type);
    for (const values of this.#types) values.prefix(out);
  }

  data(out: ColumnBytes): void {
    const { row } = this.owner;
    const none = this.#types.length;
    out.ensure(row);
    const { bytes, at } = out;
    const kinds = this.#kinds;
    for (let index = 0; index < this.rows; index++) {
      const kind = kinds[index] as number;
      bytes[at + index] = kind === 0 ? none : kind - 1;
    }
    bytes.fill(none, at + this.rows, at + row);
    out.at = at + row;
    for (const values of this.#types) values.data(out);
  }

  size(): number {
    return this.owner.row + this.#types.reduce((sum, values) => sum + values.size() + values.type.length, 0);
  }

  clear(): void {
    for (const values of this.#types.splice(0)) values.clear();
    this.#kinds.fill(0, 0, this.rows);
    this.typed?.clear();
    this.rows = 0;
    this.used = false;
  }

  #grow(row: number): void {
    const larger = new Uint8Array(Math.max(row + 1, this.#kinds.length * 2, START_ROWS));
    larger.set(this.#kinds);
    this.#kinds = larger;
  }
}

function newValues(kind: number, owner: FieldsColumn): Values {
  if (kind === KIND.objects) return new ObjectArrays(TYPES[kind] as string, owner);
  if (kind >= KIND.array) return new Arrays(`Array(Nullable(${TYPES[kind - KIND.array]}))`);
  return new Values(TYPES[kind] as string);
}

/** A key as it was found in an object, and the keys in that. */
export class KeyNode {
  /** The text of the key, with quotes and colon. */
  readonly text: Uint8Array;
  readonly name: string;
  readonly owner: FieldsColumn;
  /** Undefined until the key has a value that is no object. */
  #path: Path | undefined;
  readonly #children = new Map<string, KeyNode>();
  /** The keys that are expected next: within its object, and after it. */
  first: KeyNode | undefined;
  next: KeyNode | undefined;
  /** Whether ClickHouse writes the values of `next` after those of this key. */
  ascends = true;
  /** Whether ClickHouse writes the key as it is in `text`. */
  canonical = true;
  seen = 0;

  constructor(text: Uint8Array, name: string, owner: FieldsColumn) {
    this.text = text;
    this.name = name;
    this.owner = owner;
  }

  path(): Path {
    this.#path ??= this.owner.path(this.name);
    return this.#path;
  }

  /** Another key was found after it. */
  follow(node: KeyNode): void {
    this.next = node;
    this.ascends = isBefore(this.name, node.name);
  }

  /** By the text of a key without quotes. */
  child(text: string): KeyNode | undefined {
    return this.#children.get(text);
  }

  /** `key` is the text without escapes. Both are latin1. The same key in other escapes is the same child. */
  addChild(text: string, key: string, root: boolean): KeyNode {
    const plain = JSON.stringify(key).slice(1, -1);
    let node = this.#children.get(plain);
    if (!node) {
      node = new KeyNode(
        Buffer.from(`"${plain}":`, 'latin1'),
        root ? key : `${this.name}.${key}`,
        this.owner,
      );
      node.canonical = CANONICAL_KEY.test(plain);
      this.#children.set(plain, node);
    }
    this.#children.set(text, node);
    this.owner.countKey();
    return node;
  }
}

/** Whether a path, with all that its value may contain, is before another one in ClickHouse's order. */
function isBefore(path: string, other: string): boolean {
  return path < other && !(other.startsWith(path) && other.charCodeAt(path.length) < DOT);
}

export interface FieldsShape {
  /** Paths with the type String, latin1. */
  typed: readonly string[];
  max_paths: number;
  /** Whether objects in arrays have the known type. */
  nests: boolean;
}

/** A JSON column in the flattened serialization. */
export class FieldsColumn {
  readonly shape: FieldsShape;
  root: KeyNode;
  /** The row that values are added to. */
  row = 0;
  keys = 0;
  readonly #paths = new Map<string, Path>();
  readonly #typed: Path[];
  readonly #used: Path[] = [];

  readonly #outer: FieldsColumn | undefined;

  /** `outer` has it in its arrays, and counts its keys, too. */
  constructor(shape: FieldsShape, outer?: FieldsColumn) {
    this.shape = shape;
    this.#outer = outer;
    this.root = new KeyNode(Buffer.of(QUOTE), '', this);
    this.#typed = shape.typed.map((name) => new Path(name, this, new ColumnBytes()));
    for (const path of this.#typed) this.#paths.set(path.name, path);
  }

  /** Whether its keys take so much memory that the block should end. */
  get full(): boolean {
    return this.keys >= FULL_KEYS;
  }

  countKey(): void {
    this.keys++;
    this.#outer?.countKey();
  }

  /** Number of paths that the block has values of. */
  get used(): number {
    return this.#used.length;
  }

  path(name: string): Path {
    const found = this.#paths.get(name);
    if (found) return found;
    const path = new Path(name, this);
    this.#paths.set(name, path);
    return path;
  }

  isTyped(name: string): boolean {
    return this.#paths.get(name)?.typed !== undefined;
  }

  use(path: Path): void {
    path.used = true;
    this.#used.push(path);
  }

  prefix(out: ColumnBytes): void {
    out.int64(FLATTENED);
    out.varint(this.#used.length);
    for (const { name } of this.#used) out.latin1(name);
    for (const path of this.#used) path.prefix(out);
  }

  data(out: ColumnBytes): void {
    for (const path of this.#typed) {
      out.append((path.typed as ColumnBytes).view());
      out.zeros(this.row - path.rows);
    }
    for (const path of this.#used) path.data(out);
  }

  size(): number {
    const typed = this.#typed.reduce((sum, path) => sum + (path.typed?.at ?? 0) + this.row, 0);
    return this.#used.reduce((sum, path) => sum + path.size() + path.name.length, typed);
  }

  clear(): void {
    for (const path of this.#used.splice(0)) path.clear();
    for (const path of this.#typed) path.clear();
    this.row = 0;
    if (this.keys <= (this.shape.nests ? MAX_KEYS : NESTED_PATHS / 2)) return;
    this.keys = 0;
    this.root = new KeyNode(Buffer.of(QUOTE), '', this);
    for (const path of this.#paths.values()) if (!path.typed) this.#paths.delete(path.name);
  }
}
