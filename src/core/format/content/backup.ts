import type { Hash } from 'node:crypto';
import type { DatabaseProperties, ExtensionVersion, TableCount } from '../../ports/database.ts';
import type { Timestamp } from '../../ports/types.ts';
import { FrameBufferPool } from '../buffers.ts';
import { notBifract } from '../errors.ts';
import { type ContentFrame, frameTarget } from '../frames/frame.ts';
import { foldKey, JsonSyntaxError, type Member, readMembers } from './json-scan.ts';
import { parseUntrustedJson } from './parse-json.ts';

/** Separates a backup's manifest from its dump. */
const SEPARATOR = Buffer.from('\n---BIFRACT_BACKUP_SEPARATOR---\n');

/** Prefix of the variables that hold current and previous keys; a backup must not contain the key that opens it. */
const KEY_PREFIX = 'BIFRACT_BACKUP_ENCRYPTION_KEY';

/** Additions to the server's manifest, under one key. */
export interface ConsoleManifest {
  /** Format of this object. */
  format: 1;
  /** Name and version of the writing program. */
  tool: string;
  /** Version of the PostgreSQL server, and of the pg_dump that read it. */
  server_version: string;
  pg_dump_version: string;
  database: string;
  /** Every table with its exact row count in the dump's snapshot. */
  tables: TableCount[];
  /** `pg_database_size` at that time, bytes. */
  database_bytes?: number;
  /** Absent in backups of version 0.2 and older. */
  properties?: DatabaseProperties;
  extensions?: ExtensionVersion[];
  large_objects?: number;
  /**
   * Uncompressed size of the dump, if known before it was written; else derive it from the end frame's `bytes` less
   * manifest and separator.
   */
  dump_bytes?: number;
}

/** The JSON at the start of a backup. */
export interface BackupManifest {
  /** Version of the writing program. */
  version: string;
  timestamp: Timestamp;
  type: string;
  /** The variables of the installation's `.env`. */
  env_vars: Record<string, string>;
  bifract_console?: ConsoleManifest;
}

/** Builds a manifest, without the encryption keys among the variables. */
export function backupManifest(parts: Omit<BackupManifest, 'type'>): BackupManifest {
  const { version, timestamp, env_vars, bifract_console } = parts;
  const kept = Object.entries(env_vars).filter(([name]) => !name.startsWith(KEY_PREFIX));
  const manifest = { version, timestamp, type: 'postgres', env_vars: Object.fromEntries(kept) };
  return bifract_console === undefined ? manifest : { ...manifest, bifract_console };
}

/** Splits a backup's content (manifest, separator, dump) into frames. `hash` receives all content. */
export async function* backupFrames(
  manifest: BackupManifest,
  dump: AsyncIterable<Uint8Array>,
  hash: Hash,
): AsyncGenerator<ContentFrame> {
  const memory = new FrameBufferPool();
  let bytes = memory.acquire(frameTarget(0));
  let size = 0;
  let index = 0;
  for await (const piece of content(manifest, dump)) {
    hash.update(piece);
    for (let rest = piece; rest.length > 0; ) {
      const target = frameTarget(index);
      const part = rest.subarray(0, target - size);
      bytes.set(part, size);
      size += part.length;
      rest = rest.subarray(part.length);
      if (size < target) continue;
      yield frame(bytes, size, memory);
      bytes = memory.acquire(frameTarget(++index));
      size = 0;
    }
  }
  if (size > 0) yield frame(bytes, size, memory);
}

async function* content(
  manifest: BackupManifest,
  dump: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  yield Buffer.from(JSON.stringify(backupManifest(manifest)));
  yield SEPARATOR;
  yield* dump;
}

function frame(bytes: Buffer, size: number, memory: FrameBufferPool): ContentFrame {
  const free = () => memory.recycle(bytes, size);
  return { bytes: bytes.subarray(0, size), rows: 0, lines: 0, longLines: 0, first: null, last: null, free };
}

/** The separator must come within this many bytes. */
const MAX_MANIFEST_BYTES = 16 * 1024 * 1024;

/**
 * Splits a backup's content at the first separator. `dump` reads the rest of `content` and throws whatever it throws.
 * Throws `NOT_BIFRACT` if the content is not a backup.
 */
export async function splitBackup(
  content: AsyncIterable<Buffer>,
): Promise<{ manifest: BackupManifest; dump: AsyncIterable<Buffer> }> {
  const pieces = content[Symbol.asyncIterator]();
  try {
    const { text, first } = await readManifest(pieces);
    return { manifest: parseManifest(text), dump: rest(pieces, first) };
  } catch (error) {
    await pieces.return?.();
    throw error;
  }
}

async function readManifest(pieces: AsyncIterator<Buffer>): Promise<{ text: Buffer; first: Buffer }> {
  let read = Buffer.alloc(0);
  for (;;) {
    const { done, value } = await pieces.next();
    if (done) throw notBifract('Not a backup: no separator between manifest and dump');
    const from = Math.max(0, read.length - SEPARATOR.length);
    read = Buffer.concat([read, value]);
    const at = read.indexOf(SEPARATOR, from);
    if (at >= 0) return { text: read.subarray(0, at), first: read.subarray(at + SEPARATOR.length) };
    if (read.length > MAX_MANIFEST_BYTES) throw notBifract('Not a backup: the manifest is too long');
  }
}

async function* rest(pieces: AsyncIterator<Buffer>, first: Buffer): AsyncGenerator<Buffer> {
  try {
    if (first.length > 0) yield first;
    for (let next = await pieces.next(); !next.done; next = await pieces.next()) yield next.value;
  } finally {
    await pieces.return?.();
  }
}

/** Parses a manifest as the server does: keys in any case, the last of duplicates, null as absent. */
function parseManifest(text: Buffer): BackupManifest {
  const members = readObject(text);
  const value = (key: string): unknown => {
    const found = members.findLast((member) => foldKey(member.key) === key && !isNull(text, member));
    return found && parseValue(text, found);
  };
  const [version = '', timestamp = '', type = ''] = ['version', 'timestamp', 'type'].map(value);
  const env_vars = value('env_vars') ?? {};
  if (![version, timestamp, type].every(isString) || !isStrings(env_vars)) {
    throw notBifract('Not a backup: the manifest is invalid');
  }
  const manifest = { version, timestamp, type, env_vars } as BackupManifest;
  const span = members.findLast((member) => member.key === 'bifract_console');
  const extra = span && (parseValue(text, span) as ConsoleManifest);
  return extra === undefined ? manifest : { ...manifest, bifract_console: extra };
}

function parseValue(text: Buffer, { start, end }: Member): unknown {
  try {
    return parseUntrustedJson(text.subarray(start, end));
  } catch (error) {
    throw notBifract(`Not a backup: the manifest is not valid JSON (${(error as Error).message})`);
  }
}

function readObject(text: Buffer): Member[] {
  try {
    return readMembers(text);
  } catch (error) {
    if (error instanceof JsonSyntaxError)
      throw notBifract(`Not a backup: the manifest is not valid JSON (${error.message})`);
    throw error;
  }
}

function isNull(text: Buffer, { start, end }: Member): boolean {
  return text.toString('latin1', start, end) === 'null';
}

function isString(value: unknown): value is string {
  return typeof value === 'string';
}

function isStrings(value: unknown): boolean {
  return typeof value === 'object' && !Array.isArray(value) && Object.values(value ?? {}).every(isString);
}
