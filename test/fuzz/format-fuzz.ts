/**
 * Damages files in seeded random ways and reads them. No damaged file may pass as complete, crash the reader or hang
 * it, and content before the damage must be correct. Run with a count and a seed:
 *
 *     node --import tsx test/fuzz/format-fuzz.ts 100000 1
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { BifractError } from '../../src/core/contract/errors.ts';
import { describeFile, parseKey, readContent } from '../../src/core/format/index.ts';
import { archiveLine, framedArchive, KEY, noisyLines, readAll } from '../helpers/sealed.ts';
import { collect, inPieces, memorySource } from '../helpers/streams.ts';
import { Dice, MUTATIONS, type Subject } from './mutations.ts';

const CODES = ['NOT_BIFRACT', 'WRONG_KEY', 'DAMAGED', 'CUT_OFF', 'UNSUPPORTED'];
const MAX_MS = 20_000;

interface Target extends Subject {
  key: typeof KEY;
}

/** Small files of each shape: one chunk, several chunks and frames, and a file of the server. */
export async function subjects(): Promise<Target[]> {
  const small = () => framedArchive([[archiveLine(0)], [archiveLine(1), archiveLine(2)]]);
  const large = () =>
    framedArchive(Array.from({ length: 5 }, (_, index) => noisyLines(index * 50, 100, 700)));
  const targets = [];
  for (const [name, make] of Object.entries({ small, large })) {
    const [stored, other] = [await collect(make().bytes), await collect(make().bytes)];
    targets.push({ name, stored, other, content: await readAll(stored), sealed: true, key: KEY });
  }
  const vectors = new URL('../fixtures/vectors/d-tampered/', import.meta.url);
  const load = (file: string) => readFileSync(fileURLToPath(new URL(file, vectors)));
  const { key_hex } = JSON.parse(load('small.bifract-archive.json').toString()) as { key_hex: string };
  const key = parseKey(key_hex);
  const stored = load('small.bifract-archive');
  const content = await readAll(stored, 65_536, [key]);
  const other = load('small-aligned-frames.bifract-archive');
  return [...targets, { name: 'server', stored, other, content, sealed: false, key }];
}

/** Reads a damaged file in pieces of `pieceBytes`. Throws if the reader misses the damage. */
export async function checkDamaged(target: Target, damaged: Buffer, pieceBytes: number): Promise<void> {
  if (damaged.equals(target.stored)) return;
  await readDamaged(target, damaged, pieceBytes);
  await describeDamaged(target, damaged);
}

async function readDamaged(target: Target, damaged: Buffer, pieceBytes: number): Promise<void> {
  const reader = readContent(inPieces(damaged, pieceBytes), { keys: [target.key] });
  let read = 0;
  try {
    for await (const piece of reader) {
      const correct = target.content.subarray(read, read + piece.length).equals(piece);
      read += piece.length;
      if (!correct) throw new Error(`wrong content before byte ${read}`);
    }
  } catch (error) {
    if (error instanceof BifractError && CODES.includes(error.code)) return;
    throw error;
  }
  if (target.sealed) throw new Error('accepted as complete');
}

async function describeDamaged(target: Target, damaged: Buffer): Promise<void> {
  try {
    const { end } = await describeFile(memorySource(damaged), [target.key]);
    if (end !== null && end.bytes !== target.content.length) throw new Error('wrong description');
  } catch (error) {
    if (!(error instanceof BifractError && CODES.includes(error.code))) throw error;
  }
}

/** Runs `count` rounds. An error names the seed and round to repeat. */
export async function fuzz(count: number, seed: number): Promise<void> {
  const targets = await subjects();
  const names = Object.keys(MUTATIONS);
  for (let round = 0; round < count; round++) {
    const dice = new Dice(seed * 1_000_003 + round);
    const [target, name] = [dice.pick(targets), dice.pick(names)];
    const started = performance.now();
    const damaged = MUTATIONS[name]?.(target, dice) ?? target.stored;
    const pieceBytes = dice.pick([97, 4096, 65_568, 1 << 20]);
    await checkDamaged(target, damaged, pieceBytes).catch((cause: unknown) => {
      throw new Error(`${target.name}: ${name}, seed ${seed}, round ${round}`, { cause });
    });
    if (performance.now() - started > MAX_MS) throw new Error(`${name}, round ${round}: took too long`);
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [count = 100_000, seed = Date.now() % 1_000_000] = process.argv.slice(2).map(Number);
  console.log(`${count} rounds, seed ${seed}`);
  await fuzz(count, seed);
  console.log('all damage detected');
}
