import { isUtf8 } from 'node:buffer';
import { ColumnBytes, type Source } from './column-bytes.ts';
import { type Arrays, type FieldsColumn, type KeyNode, KIND, MAX_DEPTH, type Path } from './fields-column.ts';
import { areCanonicalEscapes, isUnsigned, type JsonScanner, unescapeText } from './json-text.ts';

const [QUOTE, COMMA, COLON, OPEN, CLOSE, OPEN_ARRAY, CLOSE_ARRAY] = [
  0x22, 0x2c, 0x3a, 0x7b, 0x7d, 0x5b, 0x5d,
];
const MINUS = 0x2d;
const NULL = Buffer.from('null');
const TRUE = Buffer.from('true');
const FALSE = Buffer.from('false');
/** The first letters of the constants. */
const [N, T, F] = [0x6e, 0x74, 0x66];
/** Line separators, which ClickHouse escapes. */
const SEPARATORS = ['\u2028', '\u2029'].map((character) => Buffer.from(character));
/** Values of one row, array elements included. */
const MAX_VALUES = 20_000;

/** What a value adds to its column, besides the kinds of values. */
const STEP = {
  escaped: 100,
  typed: 101,
  typedEscaped: 102,
  array: 103,
  objects: 104,
  objectEnd: 105,
} as const;
/** Of array elements that are null. */
const NULL_ELEMENT = -1;

/**
 * Adds JSON objects to a JSON column. Reads all of an object before it writes anything, so that an object that is not
 * certain to be stored as ClickHouse would store its text leaves nothing behind.
 */
export class FieldsEncoder {
  readonly #column: FieldsColumn;
  readonly #json: JsonScanner;
  readonly #scratch = new ColumnBytes();
  readonly #wantsText: boolean;
  #canonical = false;
  #typed = 0;
  /** The object that is read: a key or path that was seen in the same one is a duplicate. */
  #object = 0;
  #objects = 0;
  #newPaths = 0;
  // What to write, in order: steps or kinds, their paths, and their numbers or spans of text.
  #count = 0;
  readonly #steps: number[] = [];
  readonly #paths: (Path | undefined)[] = [];
  readonly #from: number[] = [];
  readonly #to: number[] = [];
  readonly #numbers: (number | bigint)[] = [];

  /** `wantsText`: whether `canonical` is of use. */
  constructor(column: FieldsColumn, json: JsonScanner, wantsText: boolean) {
    this.#column = column;
    this.#json = json;
    this.#wantsText = wantsText;
  }

  /**
   * Whether the text that was read is certain to be what ClickHouse would write of its values, except that it writes
   * slashes with a backslash.
   */
  get canonical(): boolean {
    return this.#canonical;
  }

  /** Reads the object at `from`. Returns the position after it; negative if it must be sent as text. */
  read(from: number): number {
    const { bytes } = this.#json.source;
    this.#count = 0;
    this.#newPaths = 0;
    this.#object = ++this.#objects;
    this.#canonical = this.#wantsText;
    this.#typed = 0;
    this.#json.wide = false;
    if (bytes[from] !== OPEN) return -1;
    const end = this.#objectEnd(this.#column.root, from + 1, 0);
    if (end < 0) return -1;
    // All typed paths have values, and are written.
    if (this.#typed < this.#column.shape.typed.length) this.#canonical = false;
    if (!this.#json.wide) return end;
    const text = bytes.subarray(from, end);
    if (this.#canonical && SEPARATORS.some((separator) => text.includes(separator))) this.#canonical = false;
    return isUtf8(text) ? end : -1;
  }

  /** Reads the empty object. */
  readNone(): void {
    this.#count = 0;
    this.#newPaths = 0;
    this.#canonical = false;
  }

  /** Whether the column of this block has room for the paths of what was read. */
  get fits(): boolean {
    return this.#column.used + this.#newPaths <= this.#column.shape.max_paths;
  }

  /** Writes what was read. */
  write(): void {
    const { source } = this.#json;
    for (let index = 0; index < this.#count; index++) {
      const path = this.#paths[index] as Path;
      const step = this.#steps[index] as number;
      switch (step) {
        case KIND.string:
          path.add(step).bytes.text(source, this.#from[index] as number, this.#to[index] as number);
          break;
        case STEP.escaped: {
          const text = this.#unescaped(index);
          path.add(KIND.string).bytes.text(text, 0, text.bytes.length);
          break;
        }
        case STEP.typed:
          path.addTyped(source, this.#from[index] as number, this.#to[index] as number);
          break;
        case STEP.typedEscaped: {
          const text = this.#unescaped(index);
          path.addTyped(text, 0, text.bytes.length);
          break;
        }
        case STEP.array:
          index = this.#writeArray(index);
          break;
        case STEP.objects:
          path.add(KIND.objects).bytes.int64(path.objects().row + (this.#numbers[index] as number));
          break;
        case STEP.objectEnd:
          path.objects().row++;
          break;
        default:
          writeScalar(path.add(step).bytes, step, this.#numbers[index] as number | bigint);
      }
    }
    this.#column.row++;
  }

  /** Text of a step without its escapes, which were found to be valid. */
  #unescaped(index: number): Source {
    const scratch = this.#scratch;
    scratch.at = 0;
    unescapeText(this.#json.source, this.#from[index] as number, this.#to[index] as number, scratch);
    scratch.ensure(4);
    return { bytes: scratch.view(), words: scratch.words };
  }

  #writeArray(from: number): number {
    const kind = this.#from[from] as number;
    const count = this.#to[from] as number;
    const arrays = (this.#paths[from] as Path).add(KIND.array + kind) as Arrays;
    const { nulls, elements } = arrays;
    arrays.count += count;
    arrays.bytes.int64(arrays.count);
    for (let index = from + 1; index <= from + count; index++) {
      const step = this.#steps[index] as number;
      nulls.byte(step === NULL_ELEMENT ? 1 : 0);
      if (step === NULL_ELEMENT) elements.zeros(kind === KIND.string || kind === KIND.bool ? 1 : 8);
      else if (step === STEP.escaped) {
        const text = this.#unescaped(index);
        elements.text(text, 0, text.bytes.length);
      } else if (step === KIND.string)
        elements.text(this.#json.source, this.#from[index] as number, this.#to[index] as number);
      else writeScalar(elements, kind, this.#numbers[index] as number | bigint);
    }
    return from + count;
  }

  #push(step: number, path: Path | undefined, from: number, to: number, number: number | bigint = 0): void {
    const index = this.#count++;
    this.#steps[index] = step;
    this.#paths[index] = path;
    this.#from[index] = from;
    this.#to[index] = to;
    this.#numbers[index] = number;
  }

  /** Reads the members of an object. Returns the position after it. */
  #objectEnd(parent: KeyNode, from: number, depth: number): number {
    const { bytes } = this.#json.source;
    if (bytes[from] === CLOSE) {
      // Empty objects are not stored.
      if (depth > 0) this.#canonical = false;
      return from + 1;
    }
    if (depth > MAX_DEPTH) return -1;
    const object = this.#object;
    let previous: KeyNode | undefined;
    for (let at = from; ; ) {
      const expected: KeyNode | undefined = previous ? previous.next : parent.first;
      let node = expected;
      if (node && startsWith(bytes, at, node.text)) at += node.text.length;
      else {
        const end = bytes[at] === QUOTE ? this.#json.stringEnd(at + 1) : -1;
        if (end < 0 || bytes[end + 1] !== COLON) return -1;
        node = this.#keyOf(parent, at + 1, end);
        if (!node) return -1;
        if (previous) previous.follow(node);
        else parent.first = node;
        if (node.text.length !== end + 2 - at) this.#canonical = false;
        at = end + 2;
      }
      if (!node.canonical || previous?.ascends === false) this.#canonical = false;
      if (node.seen === object) return -1;
      node.seen = object;
      at = this.#valueEnd(node, at, depth);
      if (at < 0 || this.#count > MAX_VALUES) return -1;
      const byte = bytes[at++];
      if (byte === CLOSE) return at;
      if (byte !== COMMA) return -1;
      previous = node;
    }
  }

  /** The node of a key; undefined if it has escapes that are not valid. */
  #keyOf(parent: KeyNode, from: number, to: number): KeyNode | undefined {
    const { source } = this.#json;
    const text = source.bytes.toString('latin1', from, to);
    const found = parent.child(text);
    if (found) return found;
    const scratch = this.#scratch;
    scratch.at = 0;
    if (!isUtf8(source.bytes.subarray(from, to)) || !unescapeText(source, from, to, scratch))
      return undefined;
    const { owner } = parent;
    return parent.addChild(text, scratch.view().toString('latin1'), parent === owner.root);
  }

  #valueEnd(node: KeyNode, at: number, depth: number): number {
    const { bytes } = this.#json.source;
    const byte = bytes[at];
    if (byte === OPEN) {
      // The object may be the value of a typed path.
      return node.owner.isTyped(node.name) ? -1 : this.#objectEnd(node, at + 1, depth + 1);
    }
    const path = node.path();
    if (path.seen === this.#object) return -1;
    path.seen = this.#object;
    if (byte === QUOTE) return this.#stringEnd(path, at);
    if (path.typed) return -1;
    if (byte === OPEN_ARRAY) return this.#arrayEnd(path, at + 1, depth);
    return this.#scalarEnd(path, at);
  }

  #stringEnd(path: Path, at: number): number {
    const json = this.#json;
    json.escaped = false;
    const end = json.stringEnd(at + 1);
    if (end < 0) return -1;
    if (!json.escaped) this.#push(path.typed ? STEP.typed : KIND.string, path, at + 1, end);
    else {
      if (!this.#isUnescapable(at + 1, end)) return -1;
      this.#push(path.typed ? STEP.typedEscaped : STEP.escaped, path, at + 1, end);
    }
    if (path.typed) this.#typed++;
    else this.#expect(path);
    return end + 1;
  }

  #isUnescapable(from: number, to: number): boolean {
    this.#scratch.at = 0;
    if (this.#canonical) this.#canonical = areCanonicalEscapes(this.#json.source.bytes, from, to);
    return unescapeText(this.#json.source, from, to, this.#scratch);
  }

  #scalarEnd(path: Path, at: number): number {
    const end = this.#constantEnd(at);
    if (end > 0) {
      const byte = this.#json.source.bytes[at];
      if (byte === N) {
        // Not stored.
        this.#canonical = false;
        return end;
      }
      this.#push(KIND.bool, path, 0, 0, byte === T ? 1 : 0);
      this.#expect(path);
      return end;
    }
    const json = this.#json;
    const after = json.numberEnd(at);
    if (after < 0) return -1;
    if (this.#canonical) this.#canonical = this.#isCanonicalNumber(at, after);
    const integer = isUnsigned(json.number) ? KIND.uint : KIND.int;
    this.#push(json.float ? KIND.float : integer, path, 0, 0, json.number);
    this.#expect(path);
    return after;
  }

  /** Whether the number that was scanned is written as ClickHouse would. */
  #isCanonicalNumber(from: number, to: number): boolean {
    const { float, number, source } = this.#json;
    if (!float) return number !== 0 || source.bytes[from] !== MINUS;
    return String(number).replace('e+', 'e') === source.bytes.toString('latin1', from, to);
  }

  /** Position after `true`, `false` or `null`; negative if it is none of them. */
  #constantEnd(at: number): number {
    const { bytes } = this.#json.source;
    const text = bytes[at] === N ? NULL : bytes[at] === T ? TRUE : bytes[at] === F ? FALSE : undefined;
    return text && startsWith(bytes, at, text) ? at + text.length : -1;
  }

  /** Counts a path that the block does not have yet. */
  #expect(path: Path): void {
    if (path.used || path.owner !== this.#column) return;
    this.#newPaths++;
  }

  /** Reads an array of scalars of one type, or of objects: for other arrays, the type is not as simple. */
  #arrayEnd(path: Path, from: number, depth: number): number {
    const { bytes } = this.#json.source;
    // Several rows of the nested column would be read before any of them is written.
    if (path.owner !== this.#column) return -1;
    if (bytes[from] === OPEN) return this.#objectsEnd(path, from, depth);
    const head = this.#count;
    this.#push(STEP.array, path, KIND.string, 0);
    this.#expect(path);
    let kind = -1;
    let at = from;
    for (; bytes[at] !== CLOSE_ARRAY; at++) {
      at = this.#elementEnd(at);
      if (at < 0 || this.#count > MAX_VALUES) return -1;
      const step = this.#steps[this.#count - 1] as number;
      const own = step === STEP.escaped ? KIND.string : step;
      if (own !== NULL_ELEMENT) {
        const numbers = kind !== own && isNumber(kind) && isNumber(own);
        if (kind >= 0 && kind !== own && !numbers) return -1;
        kind = numbers ? KIND.float : own;
      }
      if (bytes[at] === CLOSE_ARRAY) break;
      if (bytes[at] !== COMMA || bytes[at + 1] === CLOSE_ARRAY) return -1;
    }
    kind = path.elementKind(kind);
    if (kind < 0) return -1;
    this.#from[head] = kind;
    this.#to[head] = this.#count - head - 1;
    if (kind === KIND.float && !this.#areExact(head)) return -1;
    return at + 1;
  }

  /** Whether the elements of an array of floats are exact, though some are integers. */
  #areExact(head: number): boolean {
    for (let index = head + 1; index < this.#count; index++)
      if (typeof this.#numbers[index] === 'bigint') return false;
    return true;
  }

  #elementEnd(at: number): number {
    const json = this.#json;
    const byte = json.source.bytes[at];
    if (byte === QUOTE) {
      json.escaped = false;
      const end = json.stringEnd(at + 1);
      if (end < 0 || (json.escaped && !this.#isUnescapable(at + 1, end))) return -1;
      this.#push(json.escaped ? STEP.escaped : KIND.string, undefined, at + 1, end);
      return end + 1;
    }
    const end = this.#constantEnd(at);
    if (end > 0) {
      this.#push(byte === N ? NULL_ELEMENT : KIND.bool, undefined, 0, 0, byte === T ? 1 : 0);
      return end;
    }
    const after = json.numberEnd(at);
    if (after < 0 || isUnsigned(json.number)) return -1;
    if (this.#canonical) this.#canonical = this.#isCanonicalNumber(at, after);
    this.#push(json.float ? KIND.float : KIND.int, undefined, 0, 0, json.number);
    return after;
  }

  #objectsEnd(path: Path, from: number, depth: number): number {
    const { bytes } = this.#json.source;
    if (!path.owner.shape.nests) return -1;
    this.#canonical = false;
    const nested = path.objects();
    const head = this.#count;
    const outer = this.#object;
    this.#push(STEP.objects, path, 0, 0);
    this.#expect(path);
    let objects = 0;
    let at = from;
    for (; ; at++) {
      if (bytes[at] !== OPEN) return -1;
      this.#object = ++this.#objects;
      at = this.#objectEnd(nested.root, at + 1, depth + 1);
      if (at < 0) return -1;
      objects++;
      this.#push(STEP.objectEnd, path, 0, 0);
      if (bytes[at] === CLOSE_ARRAY) break;
      if (bytes[at] !== COMMA) return -1;
    }
    this.#numbers[head] = objects;
    this.#object = outer;
    return nested.keys > nested.shape.max_paths ? -1 : at + 1;
  }
}

function writeScalar(out: ColumnBytes, kind: number, number: number | bigint): void {
  if (kind === KIND.bool) out.byte(number as number);
  else if (kind === KIND.float) out.float64(number as number);
  else if (typeof number === 'bigint') out.bigInt64(number);
  else out.int64(number);
}

function isNumber(kind: number): boolean {
  return kind === KIND.int || kind === KIND.float;
}

export function startsWith(bytes: Buffer, at: number, text: Uint8Array): boolean {
  for (let index = 0; index < text.length; index++) if (bytes[at + index] !== text[index]) return false;
  return true;
}
