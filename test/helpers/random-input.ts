import { COMMANDS } from '../../src/components/input/keymap.ts';
import { bytesOfKey } from './terminal.ts';

/** Numbers from 0 to 1 that only depend on the seed. */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const KEYS = [...new Set(COMMANDS.flatMap(({ keys, more }) => [...keys, ...(more?.keys ?? [])]))].map(
  bytesOfKey,
);

/** Starts and ends of sequences, to be cut, nested and mixed. */
const PARTS = [
  '\x1b',
  '\x1b[',
  '\x1bO',
  '\x1b]11;rgb:1e1e/1e1e/1e1e\x1b\\',
  '\x1b]0;',
  '\x1bP',
  '\x1b_G',
  '\x1b\\',
  '\x07',
  '\x9b',
  '\x1b[<0;10;5M',
  '\x1b[<64;10;5M',
  '\x1b[24;80R',
  '\x1b[?62;22c',
  '\x1b[200~',
  '\x1b[201~',
  '\x1b[M',
  '\x1b[98;3u',
  '\x1b[27;5;',
  'é',
  '日',
];

/** Random input of a user: mostly keys that do something, with and without delays after them. */
export function randomKeys(random: () => number): Buffer {
  const one = random();
  if (one < 0.75) return Buffer.from(pick(random, KEYS));
  if (one < 0.85)
    return Buffer.from(pick(random, ['web', 'prod', '2026', '/x/', '50%', '-2h', 'delete', '1']));
  if (one < 0.95) return Buffer.from(`\x1b${pick(random, KEYS)}`);
  return Buffer.from(`\x1b[200~${pick(random, KEYS)}\r${pick(random, KEYS)}\x1b[201~`);
}

/** Random bytes, with pieces of control sequences among them. */
export function randomBytes(random: () => number): Buffer {
  const parts = Array.from({ length: 1 + Math.floor(random() * 4) }, () =>
    random() < 0.5
      ? Buffer.from(Array.from({ length: 1 + Math.floor(random() * 6) }, () => Math.floor(random() * 256)))
      : Buffer.from(pick(random, PARTS)),
  );
  return Buffer.concat(parts);
}

function pick<T>(random: () => number, values: readonly T[]): T {
  return values[Math.floor(random() * values.length)] as T;
}
