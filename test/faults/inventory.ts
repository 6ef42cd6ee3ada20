import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openContent } from '../helpers/plain-reader.ts';
import type { FaultyPostgres } from './postgres.ts';
import { FaultyS3 } from './s3-server.ts';

const SEPARATOR = '\n---BIFRACT_BACKUP_SEPARATOR---\n';
const ARCHIVE_HEAD = '{"_bifract_archive_version":1}\n';

/** A file under a final name, read by a decoder of its own, not by the program. */
export interface StoredFile {
  place: 'disk' | 's3';
  /** `backups/NAME` or `archives/FRACTAL/NAME`. */
  name: string;
  size: number;
  /** SHA-256 of the stored bytes. */
  sum: string;
  /** Position in `.env` of the key that opens it; -1 if none does. */
  key: number;
  /** Why it is not good; undefined if it is. */
  problem?: string;
  /** Hash of the content: equal for copies and under another key. */
  content: string;
  /** Backups: hash of the database in it. Archives: hash of the sorted rows. */
  meaning: string;
  /** Rows of an archive. */
  rows: number;
}

type Opened = Pick<StoredFile, 'key' | 'problem' | 'content' | 'meaning' | 'rows'>;

/** Reads all files of both storages. What it has opened before it only hashes. */
export class Reader {
  readonly #postgres: FaultyPostgres;
  readonly #opened = new Map<string, Opened>();

  constructor(postgres: FaultyPostgres) {
    this.#postgres = postgres;
  }

  async readAll(dir: string, s3: FaultyS3 | undefined): Promise<StoredFile[]> {
    const keys = await keysOf(dir);
    const found: StoredFile[] = [];
    for (const name of await filesOnDisk(dir))
      found.push(await this.#read('disk', name, await readFile(join(dir, name)), keys));
    for (const entry of s3?.objects() ?? []) {
      const name = entry.key.startsWith('archives/') ? entry.key : `backups/${entry.key}`;
      if (isFinal(name)) found.push(await this.#read('s3', name, await FaultyS3.read(entry), keys));
    }
    return found;
  }

  async #read(
    place: StoredFile['place'],
    name: string,
    bytes: Buffer,
    keys: readonly string[],
  ): Promise<StoredFile> {
    const sum = createHash('sha256').update(bytes).digest('hex');
    const id = `${sum} ${keys.join()}`;
    const opened = this.#opened.get(id) ?? (await this.#open(name, bytes, keys));
    this.#opened.set(id, opened);
    return { place, name, size: bytes.length, sum, ...opened };
  }

  async #open(name: string, bytes: Buffer, keys: readonly string[]): Promise<Opened> {
    let problem = 'no key in .env opens it';
    for (const [key, hex] of keys.entries()) {
      try {
        const content = openContent(bytes, hex);
        const meaning = await (name.startsWith('backups/') ? this.#backup(content) : archive(content));
        return { key, content: hash(content), ...meaning };
      } catch (error) {
        problem = String(error);
      }
    }
    return { key: -1, problem, content: '', meaning: '', rows: 0 };
  }

  async #backup(content: Buffer): Promise<{ meaning: string; rows: number }> {
    const at = content.indexOf(SEPARATOR);
    if (at < 0) throw new Error('no separator');
    JSON.parse(content.toString('utf8', 0, at));
    return { meaning: await this.#postgres.digestOfDump(content.subarray(at + SEPARATOR.length)), rows: 0 };
  }
}

/** Names of the files on disk that listings show. */
async function filesOnDisk(dir: string): Promise<string[]> {
  const all = await readdir(dir, { recursive: true });
  return all.filter(isFinal).sort();
}

export function isFinal(path: string): boolean {
  return /^(backups\/[^./][^/]*\.bifract-backup|archives\/[^/]+\/[^./][^/]*\.bifract-archive)$/.test(path);
}

/** The current key, then previous ones. */
export async function keysOf(dir: string): Promise<string[]> {
  const text = await readFile(join(dir, '.env'), 'utf8');
  const value = (name: string) => new RegExp(`^${name}=(.*)$`, 'm').exec(text)?.[1] ?? '';
  const previous = value('BIFRACT_BACKUP_ENCRYPTION_KEY_PREVIOUS').split(',');
  return [value('BIFRACT_BACKUP_ENCRYPTION_KEY'), ...previous].filter(Boolean);
}

function archive(content: Buffer): { meaning: string; rows: number } {
  const lines = linesOf(content);
  return { meaning: rowsDigest(lines), rows: lines.length };
}

function linesOf(content: Buffer): string[] {
  const text = content.toString('latin1');
  if (!text.startsWith(ARCHIVE_HEAD) || !text.endsWith('\n')) throw new Error('not an archive');
  return text.slice(ARCHIVE_HEAD.length).split('\n').slice(0, -1);
}

/** A sum over hashes of the lines, so that the rows of several files can be added. */
function rowsDigest(lines: readonly string[]): string {
  let sum = 0n;
  for (const line of lines) sum += BigInt(`0x${hash(Buffer.from(line, 'latin1')).slice(0, 15)}`);
  return String(sum);
}

/** The rows of several archives together. */
export function rowsOf(files: readonly StoredFile[]): { rows: number; digest: string } {
  return {
    rows: files.reduce((sum, { rows }) => sum + rows, 0),
    digest: String(files.reduce((sum, { meaning }) => sum + BigInt(meaning || 0), 0n)),
  };
}

function hash(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
