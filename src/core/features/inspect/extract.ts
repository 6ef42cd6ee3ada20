import { archiveLines, readContent, readStream, splitBackup } from '../../format/index.ts';
import type { Services } from '../../ports/services.ts';
import type { CallOptions } from '../../ports/types.ts';
import { type FileServices, findTarget } from '../files/find-target.ts';
import { kindByName, kindOf } from './content-kind.ts';
import type { ExtractPart } from './contract.ts';

/** zstd frames begin with 28 B5 2F FD, skippable frames with 50 … 5F 2A 4D 18. */
const FRAME_START = /^(28b52ffd|5[0-9a-f]2a4d18)/;

/**
 * The content of a file: the dump of a backup (or its manifest as JSON), the NDJSON of an archive as stored.
 * `raw` is the decrypted stream; so is the content of a stream that is neither. Everything is verified while
 * it streams, for a manifest the whole file: reading to the end without an error proves that the file is
 * complete.
 */
export async function* extract(
  services: FileServices & Pick<Services, 'keys' | 'catalog'>,
  file: string,
  part: ExtractPart,
  options: CallOptions = {},
): AsyncIterable<Buffer> {
  const keys = await services.keys();
  const { storage, object } = await findTarget(services, file, options);
  const read = { keys, signal: options.signal };
  const stored = () => storage.stream(object.name, options);
  if (part === 'raw' || (await isBare(object.name, readStream(stored(), read)))) {
    yield* readStream(stored(), read);
    return;
  }
  const content = readContent(stored(), read);
  const { kind, pieces } = await kindOf(content, object.name);
  if (kind === 'archive') yield* withHeaderChecked(pieces);
  else yield* backupPart(pieces, part);
}

/** Whether a file with an unknown name contains something else than compressed content. */
async function isBare(name: string, plaintext: AsyncIterable<Buffer>): Promise<boolean> {
  if (kindByName(name)) return false;
  let start = '';
  for await (const piece of plaintext) {
    start += piece.toString('hex', 0, 4);
    if (start.length >= 8) break;
  }
  return !FRAME_START.test(start);
}

async function* backupPart(
  content: AsyncIterable<Buffer>,
  part: 'content' | 'manifest',
): AsyncIterable<Buffer> {
  const { manifest, dump } = await splitBackup(content);
  if (part === 'content') {
    yield* dump;
    return;
  }
  for await (const _ of dump);
  yield Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`);
}

/** The stored content, checked by the archive reader. */
async function* withHeaderChecked(content: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  let held: Buffer[] = [];
  async function* tapped() {
    for await (const piece of content) {
      held.push(piece);
      yield piece;
    }
  }
  for await (const _ of archiveLines(tapped())) {
    yield* held;
    held = [];
  }
  yield* held;
}
