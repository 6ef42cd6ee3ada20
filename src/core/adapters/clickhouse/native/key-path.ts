import { JsonWriter, Literal } from './json-writer.ts';
import { unsupported } from './reader.ts';

const DOT = 0x2e;
const COMMA = Buffer.from(',');
const COLON = Buffer.from(':');
const OPEN_OBJECT = Buffer.from(':{');
/** Limits of the caches: paths, and for each path the prefixes after other paths. */
const MAX_CACHED_PATHS = 4096;
const MAX_CACHED_PREFIXES = 64;

const scratch = new JsonWriter();
const cache = new Map<string, KeyPath>();

/** A path of a JSON column: its keys from the outermost in, and the closing braces. */
export class KeyPath {
  readonly name: Buffer;
  readonly closing: Literal;
  readonly #keys: Buffer[];
  /** Text between the value of another path and the value of this one. */
  readonly #prefixes = new Map<KeyPath | undefined, Literal>();
  #previous: KeyPath | undefined;
  #previousPrefix: Literal;

  constructor(name: Buffer) {
    this.name = name;
    this.#keys = keysOf(name);
    this.closing = new Literal('}'.repeat(this.#keys.length - 1));
    this.#previousPrefix = this.#between(undefined);
  }

  /** Text to write before its value, given the previous path in the object: braces, a comma, keys. */
  prefixAfter(previous: KeyPath | undefined): Literal {
    if (previous === this.#previous) return this.#previousPrefix;
    let found = this.#prefixes.get(previous);
    if (!found) {
      found = this.#between(previous);
      if (this.#prefixes.size >= MAX_CACHED_PREFIXES) this.#prefixes.clear();
      this.#prefixes.set(previous, found);
    }
    this.#previous = previous;
    this.#previousPrefix = found;
    return found;
  }

  #between(previous: KeyPath | undefined): Literal {
    const keys = this.#keys;
    const others = previous ? previous.#keys : [];
    const open = Math.max(0, others.length - 1);
    const max_shared = Math.min(open, keys.length - 1);
    let shared = 0;
    while (shared < max_shared && others[shared]?.equals(keys[shared] as Buffer)) shared++;
    const parts: Uint8Array[] = [Buffer.alloc(open - shared, '}'), ...(previous ? [COMMA] : [])];
    for (let index = shared; index < keys.length; index++)
      parts.push(keys[index] as Buffer, index < keys.length - 1 ? OPEN_OBJECT : COLON);
    return new Literal(Buffer.concat(parts));
  }
}

/** A path by its ClickHouse name: keys joined with dots. */
export function keyPath(name: Buffer): KeyPath {
  const text = name.toString('latin1');
  let path = cache.get(text);
  if (path) return path;
  // Some versions can escape dots within keys like this.
  if (text.includes('%2E')) throw unsupported('escaped dot in a key');
  // Copied: the next block overwrites these bytes.
  path = new KeyPath(Buffer.from(name));
  if (cache.size >= MAX_CACHED_PATHS) cache.clear();
  cache.set(text, path);
  return path;
}

/** Short text as a JSON string. */
export function jsonString(text: Buffer): Buffer {
  scratch.at = 0;
  scratch.string(text, 0, text.length);
  return Buffer.from(scratch.view());
}

function keysOf(name: Buffer): Buffer[] {
  const keys: Buffer[] = [];
  for (let from = 0; from <= name.length; ) {
    const dot = name.indexOf(DOT, from);
    const end = dot < 0 ? name.length : dot;
    keys.push(jsonString(name.subarray(from, end)));
    from = end + 1;
  }
  return keys;
}
