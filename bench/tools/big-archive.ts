import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DiskStorage } from '../../src/core/adapters/disk/storage.ts';
import type { Target } from '../../src/core/features/files/target.ts';
import { type FileSummary, parseKey, writeArchive } from '../../src/core/format/index.ts';
import type { Key } from '../../src/core/ports/key.ts';
import type { LineBlock } from '../../src/core/ports/log-database.ts';
import type { StoredObject } from '../../src/core/ports/storage.ts';

const FRACTAL = '11111111-2222-4333-8444-555555555555';
const BLOCK_BYTES = 8 * 1024 * 1024;
const TIME_BYTES = '2026-03-01T00:00:00.000Z'.length;
const TIME_AT = '{"ts":"'.length;

/** An archive on disk, in its own folder. */
export interface BigArchive {
  key: Key;
  storage: DiskStorage;
  object: StoredObject;
  summary: FileSummary;
  target: Target;
  remove(): Promise<void>;
}

/** Writes an archive with about `bytes` of content: access log lines with fields, a millisecond apart. */
export async function bigArchive(bytes: number): Promise<BigArchive> {
  const folder = await mkdtemp(join(tmpdir(), 'bifract-bench-'));
  const key = parseKey('5e'.repeat(32));
  const storage = new DiskStorage(folder);
  const file = writeArchive(blocks(bytes), {
    key,
    head: {
      tool: 'bench',
      fractal: { id: FRACTAL, name: 'bench' },
      period: null,
      split: 'none',
      fields: true,
    },
  });
  const object = await storage.put('bench.bifract-archive', file.bytes);
  const found = { label: object.name, storage, object, path: join(folder, object.name) };
  return {
    key,
    storage,
    object,
    summary: file.summary(),
    target: { ...found, record: null, record_unknown: null },
    remove: () => rm(folder, { recursive: true }),
  };
}

/** Generates one block, and repeats it with new times. */
async function* blocks(bytes: number): AsyncGenerator<LineBlock> {
  const lines: Buffer[] = [];
  let size = 0;
  for (let line = 0; size < BLOCK_BYTES; line++) {
    const bytes = Buffer.from(accessLine(line));
    lines.push(bytes);
    size += bytes.length;
  }
  let row = 0;
  for (let done = 0; done < bytes; done += size) {
    for (const line of lines) {
      line.write(new Date(Date.UTC(2026, 2, 1) + row++).toISOString(), TIME_AT, TIME_BYTES, 'latin1');
    }
    yield { bytes: Buffer.concat(lines, size), lines: lines.length };
  }
}

function accessLine(seed: number): string {
  const hash = createHash('sha256').update(`${seed}`).digest();
  const host = `web-${hash.readUInt8(0) % 40}`;
  const ip = `10.${hash.readUInt8(1)}.${hash.readUInt8(2)}.${hash.readUInt8(3)}`;
  const status = [200, 200, 200, 301, 404, 500][hash.readUInt8(4) % 6];
  const path = `/api/v1/items/${hash.readUInt32LE(5) % 100_000}`;
  const ts = '2026-03-01T00:00:00.000Z';
  const raw = `${ip} - - "GET ${path}?t=${hash.toString('hex', 9, 17)} HTTP/1.1" ${status} ${hash.readUInt16LE(17)} "Mozilla/5.0 (X11; Linux x86_64)" ${host}`;
  const fields = {
    ip,
    host,
    method: 'GET',
    path,
    status: `${status}`,
    agent: 'Mozilla/5.0 (X11; Linux x86_64)',
  };
  return `${JSON.stringify({ ts, raw, id: hash.toString('hex', 0, 16), fid: FRACTAL, its: ts, fields })}\n`;
}
