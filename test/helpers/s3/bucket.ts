import { createHash, randomBytes } from 'node:crypto';
import { createReadStream, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A file with part of an object. */
export interface Segment {
  file: string;
  size: number;
}

export interface StoredMeta {
  content_type: string;
  /** The `x-amz-meta-…` headers. */
  user: Record<string, string>;
}

export interface StoredEntry extends StoredMeta {
  key: string;
  size: number;
  etag: string;
  modified: number;
  segments: Segment[];
}

export interface StoredPart extends Segment {
  etag: string;
  modified: number;
}

export interface StoredUpload extends StoredMeta {
  key: string;
  started: number;
  parts: Map<number, StoredPart>;
}

/** A bucket in a folder. Everything acknowledged is on disk and survives a kill of the server. */
export class Bucket {
  readonly name: string;
  /** Folder for bodies. */
  readonly data: string;
  readonly objects = new Map<string, StoredEntry>();
  readonly uploads = new Map<string, StoredUpload>();
  /** Completed uploads with their response, which a repeated completion gets again. */
  readonly completed = new Map<string, { key: string; answer: string }>();
  /** Incremented when the set of keys changes. */
  version = 0;
  readonly #objectsDir: string;
  readonly #uploadsDir: string;
  #last: Promise<unknown> = Promise.resolve();

  constructor(dir: string, name: string) {
    this.name = name;
    this.data = join(dir, name, 'data');
    this.#objectsDir = join(dir, name, 'objects');
    this.#uploadsDir = join(dir, name, 'uploads');
    for (const folder of [this.data, this.#objectsDir, this.#uploadsDir])
      mkdirSync(folder, { recursive: true });
    this.#load();
  }

  /** Runs one commit at a time, so that checks and changes are atomic. */
  exclusive<T>(work: () => Promise<T>): Promise<T> {
    const next = this.#last.then(work);
    this.#last = next.catch(() => undefined);
    return next;
  }

  async setObject(entry: StoredEntry): Promise<void> {
    const old = this.objects.get(entry.key);
    await save(this.#objectFile(entry.key), entry);
    this.objects.set(entry.key, entry);
    if (!old) this.version++;
    await removeSegments(old?.segments ?? []);
  }

  async deleteObject(key: string): Promise<void> {
    const old = this.objects.get(key);
    if (this.objects.delete(key)) this.version++;
    await rm(this.#objectFile(key), { force: true });
    await removeSegments(old?.segments ?? []);
  }

  async openUpload(key: string, meta: StoredMeta): Promise<string> {
    const id = randomBytes(16).toString('hex');
    const upload = { ...meta, key, started: Date.now() };
    await mkdir(join(this.#uploadsDir, id));
    await save(join(this.#uploadsDir, id, 'upload.json'), upload);
    this.uploads.set(id, { ...upload, parts: new Map() });
    return id;
  }

  async setPart(id: string, number: number, part: StoredPart): Promise<void> {
    const upload = this.uploads.get(id);
    const old = upload?.parts.get(number);
    await save(join(this.#uploadsDir, id, `${number}.json`), part);
    upload?.parts.set(number, part);
    if (old) await removeSegments([old]);
  }

  /** Removes an upload and its files, except those in `kept`. */
  async closeUpload(id: string, kept: readonly Segment[] = []): Promise<void> {
    const upload = this.uploads.get(id);
    this.uploads.delete(id);
    await rm(join(this.#uploadsDir, id), { recursive: true, force: true });
    const files = new Set(kept.map(({ file }) => file));
    await removeSegments([...(upload?.parts.values() ?? [])].filter(({ file }) => !files.has(file)));
  }

  #objectFile(key: string): string {
    return join(this.#objectsDir, `${createHash('sha256').update(key).digest('hex')}.json`);
  }

  #load(): void {
    for (const file of readdirSync(this.#objectsDir).filter((name) => name.endsWith('.json'))) {
      const entry = load<StoredEntry>(join(this.#objectsDir, file));
      this.objects.set(entry.key, entry);
    }
    for (const id of readdirSync(this.#uploadsDir)) {
      const folder = join(this.#uploadsDir, id);
      if (!existsSync(join(folder, 'upload.json'))) continue;
      const upload = {
        ...load<StoredUpload>(join(folder, 'upload.json')),
        parts: new Map<number, StoredPart>(),
      };
      for (const file of readdirSync(folder).filter((name) => /^\d+\.json$/.test(name))) {
        upload.parts.set(Number.parseInt(file, 10), load(join(folder, file)));
      }
      this.uploads.set(id, upload);
    }
  }
}

/** The bytes `from … to` of an object. */
export async function* readSegments(segments: Segment[], from: number, to: number): AsyncGenerator<Buffer> {
  let at = 0;
  for (const { file, size } of segments) {
    const start = Math.max(from, at) - at;
    const end = Math.min(to, at + size) - at;
    if (start < end) yield* createReadStream(file, { start, end: end - 1, highWaterMark: 1 << 18 });
    at += size;
  }
}

export async function removeSegments(segments: readonly Segment[]): Promise<void> {
  await Promise.all(segments.map(({ file }) => rm(file, { force: true })));
}

async function save(path: string, value: unknown): Promise<void> {
  const partial = `${path}.${randomBytes(4).toString('hex')}`;
  await writeFile(partial, JSON.stringify(value));
  await rename(partial, path);
}

function load<T>(path: string): T {
  return JSON.parse(readFileSync(path, 'utf8')) as T;
}
