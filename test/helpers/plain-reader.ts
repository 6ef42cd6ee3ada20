/**
 * A second, independent decoder of the formats, written from their description without shared code. Like the server's
 * reader it ignores skippable frames and the bytes after the end marker.
 */
import { createDecipheriv, createHash } from 'node:crypto';
import { zstdDecompressSync } from 'node:zlib';

const SEPARATOR = '\n---BIFRACT_BACKUP_SEPARATOR---\n';

/** The plaintext of a sealed stream. Throws if it is not intact. */
export function openStream(file: Buffer, keyHex: string): Buffer {
  if (file.length < 32) throw new Error('no base');
  const base = file.subarray(0, 32);
  const plain: Buffer[] = [];
  for (let at = 32, index = 0n; ; index++) {
    const length = file.readUInt32BE(at);
    if (length === 0) return Buffer.concat(plain);
    if (length < 16 || length > 65536 + 16 + 1024) throw new Error('chunk length');
    const counter = Buffer.alloc(8);
    counter.writeBigUInt64BE(index);
    const expected = createHash('sha256').update(base).update(counter).digest().subarray(0, 12);
    const nonce = file.subarray(at + 4, at + 16);
    if (!nonce.equals(expected)) throw new Error('nonce');
    const end = at + 16 + length;
    if (end > file.length) throw new Error('cut off');
    const decipher = createDecipheriv('aes-256-gcm', Buffer.from(keyHex, 'hex'), nonce);
    decipher.setAuthTag(file.subarray(end - 16, end));
    plain.push(decipher.update(file.subarray(at + 16, end - 16)), decipher.final());
    at = end;
  }
}

/** The end of the zstd frame at `at`. */
function frameEnd(stream: Buffer, at: number): number {
  const descriptor = stream[at + 4] as number;
  const single = (descriptor >> 5) & 1;
  let end = at + 6 - single + ([single, 2, 4, 8][descriptor >> 6] as number);
  for (let last = 0; last === 0; ) {
    const block = stream.readUIntLE(end, 3);
    last = block & 1;
    end += 3 + (((block >> 1) & 3) === 1 ? 1 : block >> 3);
  }
  return end + (((descriptor >> 2) & 1) === 1 ? 4 : 0);
}

/** The content of a backup or archive. Decompresses frame by frame: Node 22.15 stops after the first one. */
export function openContent(file: Buffer, keyHex: string): Buffer {
  const stream = openStream(file, keyHex);
  const content: Buffer[] = [];
  for (let at = 0, end = 0; at < stream.length; at = end) {
    const skippable = stream.readUInt32LE(at) >>> 4 === 0x184d2a5;
    end = skippable ? at + 8 + stream.readUInt32LE(at + 4) : frameEnd(stream, at);
    if (!skippable) content.push(zstdDecompressSync(stream.subarray(at, end)));
  }
  return Buffer.concat(content);
}

/** A backup's manifest text and dump. */
export function openBackup(file: Buffer, keyHex: string): { manifest: string; dump: Buffer } {
  const content = openContent(file, keyHex);
  const at = content.indexOf(SEPARATOR);
  if (at < 0) throw new Error('separator');
  return { manifest: content.toString('utf8', 0, at), dump: content.subarray(at + SEPARATOR.length) };
}

/** An archive's parsed rows. Checks the header line. */
export function openArchive(file: Buffer, keyHex: string): Record<string, unknown>[] {
  const [header, ...lines] = openContent(file, keyHex).toString('utf8').split('\n');
  if (header !== '{"_bifract_archive_version":1}') throw new Error('header');
  if (lines.pop() !== '') throw new Error('no final newline');
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}
