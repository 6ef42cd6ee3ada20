import { readFileSync } from 'node:fs';
import { asBifractError, BifractError } from '../../src/core/contract/errors.ts';
import {
  archiveBytes,
  checkDump,
  describeFile,
  LineChecker,
  readContent,
  readFrames,
  splitBackup,
} from '../../src/core/format/index.ts';
import { framedArchive, KEY, noisyLines } from './sealed.ts';
import { collect, inPieces } from './streams.ts';

/** What a file costs that is read like this, whatever is in it. */
async function warmUp(): Promise<void> {
  await read(await collect(framedArchive([noisyLines(0, 5)]).bytes));
}

async function read(stored: Buffer): Promise<string[]> {
  const source = {
    size: stored.length,
    read: async (offset: number, length: number) => stored.subarray(offset, offset + length),
    stream: () => inPieces(stored, 65_536),
  };
  return [await codeOf(() => readDescribed(source)), await codeOf(() => readWhole(stored))];
}

async function readDescribed(source: Parameters<typeof describeFile>[0]): Promise<void> {
  const file = await describeFile(source, [KEY]);
  JSON.stringify(file.head);
  if (file.sealed) for await (const _ of readFrames(source, file, [KEY], 0, 3));
}

async function readWhole(stored: Buffer): Promise<void> {
  const content = readContent(inPieces(stored, 65_536), { keys: [KEY] });
  const pieces = content[Symbol.asyncIterator]();
  const first = await pieces.next();
  if (first.done) return;
  const all = async function* () {
    yield first.value;
    for (let next = await pieces.next(); !next.done; next = await pieces.next()) yield next.value;
  };
  if (first.value.subarray(0, 60).includes('_bifract_archive_version')) {
    const checker = new LineChecker();
    for await (const lines of archiveBytes(all())) checker.add(lines);
    return;
  }
  const { manifest, dump } = await splitBackup(all());
  JSON.stringify(manifest);
  for await (const _ of checkDump(dump, undefined));
}

/** Errors of the program by their code; any other is a bug. */
async function codeOf(work: () => Promise<void>): Promise<string> {
  try {
    await work();
    return 'ok';
  } catch (error) {
    return error instanceof BifractError ? error.code : `bug: ${asBifractError(error).message}`;
  }
}

await warmUp();
const before = process.resourceUsage().maxRSS;
const codes: string[] = [];
for (const path of process.argv.slice(2)) codes.push(...(await read(readFileSync(path))));
const peak_bytes = (process.resourceUsage().maxRSS - before) * 1024;
process.send?.({ codes, peak_bytes }, () => process.exit());
