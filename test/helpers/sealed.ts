import { type Hash, randomBytes } from 'node:crypto';
import type { Head } from '../../src/core/format/content/metadata.ts';
import { FileWriter, type SealedFile } from '../../src/core/format/content/write-file.ts';
import { Sealer } from '../../src/core/format/envelope/sealer.ts';
import type { ContentFrame } from '../../src/core/format/frames/frame.ts';
import { type ArchiveHead, parseKey, readContent } from '../../src/core/format/index.ts';
import type { Key } from '../../src/core/ports/key.ts';
import type { LineBlock } from '../../src/core/ports/log-database.ts';
import { collect, inPieces } from './streams.ts';

export const KEY_HEX = '5e'.repeat(32);
export const KEY = parseKey(KEY_HEX);
export const OTHER_KEY = parseKey('a7'.repeat(32));

export const HEAD: ArchiveHead = {
  tool: 'test 1',
  fractal: { id: 'f1', name: 'Main' },
  period: null,
  split: 'none',
  fields: true,
};

/** Row number `index` as a line of an archive. */
export function archiveLine(index: number, raw = `row ${index}`): Buffer {
  const ts = new Date(Date.UTC(2026, 2, 1) + index).toISOString();
  return Buffer.from(`${JSON.stringify({ ts, raw, id: `id${index}`, fid: 'f1', its: ts })}\n`);
}

/** Line blocks, as a log database yields them. */
export async function* blocksOf(...blocks: Buffer[]): AsyncGenerator<LineBlock> {
  for (const bytes of blocks) yield { bytes, lines: bytes.toString('latin1').split('\n').length - 1 };
}

/** An archive with the given lines in each frame: many frames in a small file. */
export function framedArchive(
  frames: Buffer[][],
  key: Key = KEY,
  tool = 'test 1',
  fractal = HEAD.fractal,
): SealedFile {
  const { period, split, fields } = HEAD;
  const head: Head = {
    v: 1,
    kind: 'archive',
    uuid: '6f1d0c2e-0000-4000-8000-000000000000',
    created: '2026-03-01T00:00:00Z',
    tool,
    fractal,
    period,
    split,
    fields,
    end: true,
  };
  return new FileWriter(head, (hash) => contentFrames(frames, hash), { key });
}

async function* contentFrames(frames: Buffer[][], hash: Hash): AsyncGenerator<ContentFrame> {
  for (const [index, lines] of frames.entries()) {
    const header = index === 0 ? [Buffer.from('{"_bifract_archive_version":1}\n')] : [];
    const position = (line: Buffer | undefined) =>
      line ? { ts: JSON.parse(line.toString()).ts, id: 'x' } : null;
    const bytes = Buffer.concat([...header, ...lines]);
    hash.update(bytes);
    yield {
      bytes,
      rows: lines.length,
      lines: lines.length + header.length,
      longLines: 0,
      first: position(lines[0]),
      last: position(lines.at(-1)),
      free: () => undefined,
    };
  }
}

/** Lines that hardly compress, so that a file has several chunks. */
export function noisyLines(from: number, count: number, bytes = 400): Buffer[] {
  return Array.from({ length: count }, (_, index) =>
    archiveLine(from + index, randomBytes(Math.ceil(bytes / 2)).toString('hex')),
  );
}

/** Seals any stream, with any bytes after the end marker: for invalid files. */
export function sealStream(
  stream: Buffer,
  after: (base: Buffer, offset: number) => Buffer,
  key = KEY,
): Buffer {
  const sealer = new Sealer(key);
  sealer.push(stream);
  sealer.end();
  const sealed = sealer.take(0) as Buffer;
  return Buffer.concat([sealed, after(sealer.base, sealed.length)]);
}

/** Reads a stored file in pieces of `size`. */
export function readAll(stored: Buffer, size = 65_536, keys: Key[] = [KEY]): Promise<Buffer> {
  return collect(readContent(inPieces(stored, size), { keys }));
}
