import { jsonString } from './json-out.ts';
import { unknown } from './reader.ts';

const DOT = 0x2e;
const COMMA = Buffer.from(',');
const COLON = Buffer.from(':');
const NEST = Buffer.from(':{');

/** A path of a JSON column: its keys from the outermost on, and the braces that end all but the last. */
export interface KeyPath {
  name: Buffer;
  keys: Buffer[];
  closing: Buffer;
}

/** A path by the name that ClickHouse gives it: keys with dots between them. */
export function keyPath(bytes: Buffer): KeyPath {
  // The block's own bytes are overwritten by the next one.
  const name = Buffer.from(bytes);
  // Some versions keep a dot inside a key so, if told to.
  if (name.includes('%2E')) throw unknown('a key with an escaped dot');
  const keys: Buffer[] = [];
  for (let from = 0; from <= name.length; ) {
    const dot = name.indexOf(DOT, from);
    const end = dot < 0 ? name.length : dot;
    keys.push(jsonString(name.subarray(from, end)));
    from = end + 1;
  }
  return { name, keys, closing: Buffer.alloc(keys.length - 1, '}') };
}

/** What is written between the value of a path and that of the next: braces, a comma, keys. */
export function between(before: KeyPath | undefined, path: KeyPath): Buffer {
  const open = before ? before.keys.length - 1 : 0;
  const most = Math.min(open, path.keys.length - 1);
  let shared = 0;
  while (shared < most && before?.keys[shared]?.equals(path.keys[shared] as Buffer)) shared++;
  const parts: Uint8Array[] = [Buffer.alloc(open - shared, '}'), ...(before ? [COMMA] : [])];
  for (let index = shared; index < path.keys.length; index++)
    parts.push(path.keys[index] as Buffer, index < path.keys.length - 1 ? NEST : COLON);
  return Buffer.concat(parts);
}

/** What ends the object after the value of its last path. */
export function closing(path: KeyPath): Buffer {
  return path.closing;
}
