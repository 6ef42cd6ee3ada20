import { JsonOut, Literal } from './json-out.ts';
import { unknown } from './reader.ts';

const DOT = 0x2e;
const COMMA = Buffer.from(',');
const COLON = Buffer.from(':');
const NEST = Buffer.from(':{');
/** Paths that are kept from block to block, and for each of them the paths before it. */
const KEPT_PATHS = 4096;
const KEPT_BEFORE = 64;

const scratch = new JsonOut();
const kept = new Map<string, KeyPath>();

/** A path of a JSON column: its keys from the outermost on, and the braces that end all but the last. */
export class KeyPath {
  readonly name: Buffer;
  readonly closing: Literal;
  readonly #keys: Buffer[];
  /** What is written between the value of another path and that of this one. */
  readonly #after = new Map<KeyPath | undefined, Literal>();
  #before: KeyPath | undefined;
  #last: Literal;

  constructor(name: Buffer) {
    this.name = name;
    this.#keys = keysOf(name);
    this.closing = new Literal('}'.repeat(this.#keys.length - 1));
    this.#last = this.#between(undefined);
  }

  /** What comes before its value, after that of the path that the object had last: braces, a comma, keys. */
  after(before: KeyPath | undefined): Literal {
    if (before === this.#before) return this.#last;
    let found = this.#after.get(before);
    if (!found) {
      found = this.#between(before);
      if (this.#after.size >= KEPT_BEFORE) this.#after.clear();
      this.#after.set(before, found);
    }
    this.#before = before;
    this.#last = found;
    return found;
  }

  #between(before: KeyPath | undefined): Literal {
    const keys = this.#keys;
    const others = before ? before.#keys : [];
    const open = Math.max(0, others.length - 1);
    const most = Math.min(open, keys.length - 1);
    let shared = 0;
    while (shared < most && others[shared]?.equals(keys[shared] as Buffer)) shared++;
    const parts: Uint8Array[] = [Buffer.alloc(open - shared, '}'), ...(before ? [COMMA] : [])];
    for (let index = shared; index < keys.length; index++)
      parts.push(keys[index] as Buffer, index < keys.length - 1 ? NEST : COLON);
    return new Literal(Buffer.concat(parts));
  }
}

/** A path by the name that ClickHouse gives it: keys with dots between them. */
export function keyPath(name: Buffer): KeyPath {
  const text = name.toString('latin1');
  let path = kept.get(text);
  if (path) return path;
  // Some versions keep a dot inside a key so, if told to.
  if (text.includes('%2E')) throw unknown('a key with an escaped dot');
  // The block's own bytes are overwritten by the next one.
  path = new KeyPath(Buffer.from(name));
  if (kept.size >= KEPT_PATHS) kept.clear();
  kept.set(text, path);
  return path;
}

/** A short text as a JSON string. */
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
