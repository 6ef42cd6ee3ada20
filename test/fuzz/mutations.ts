/** Random numbers that a seed reproduces (mulberry32). */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A whole number below `limit`. */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)] as Item;
  }

  bytes(count: number): Buffer {
    return Buffer.from(Array.from({ length: count }, () => this.below(256)));
  }
}

/** A file to damage, and another one under the same key to take pieces from. */
export interface Subject {
  name: string;
  stored: Buffer;
  other: Buffer;
  /** What a sound reading yields. */
  content: Buffer;
  /** Whether nothing but the file as it is may be taken for whole. */
  sealed: boolean;
}

type Mutation = (subject: Subject, dice: Dice) => Buffer;

const join = (...parts: Buffer[]) => Buffer.concat(parts);
const END_MARK = Buffer.alloc(4);

/** Where chunks begin, the end mark last. */
export function chunkStarts(stored: Buffer): number[] {
  const starts = [32];
  for (let at = 32; stored.readUInt32BE(at) !== 0; starts.push(at)) at += 16 + stored.readUInt32BE(at);
  return starts;
}

const chunksOf = (stored: Buffer) => {
  const starts = chunkStarts(stored);
  return starts.slice(0, -1).map((start, index) => stored.subarray(start, starts[index + 1]));
};
const afterChunks = (stored: Buffer) => stored.subarray(chunkStarts(stored).at(-1));
const afterMark = (stored: Buffer) => afterChunks(stored).subarray(4);

/** A place, more often than by chance one where something begins or ends. */
function place(subject: Subject, dice: Dice): number {
  const { stored } = subject;
  if (dice.below(2) === 0) return dice.below(stored.length);
  const near = dice.pick([0, 16, ...chunkStarts(stored), stored.length - 16, stored.length]);
  return Math.max(0, Math.min(stored.length - 1, near + dice.below(41) - 20));
}

function range(subject: Subject, dice: Dice): [from: number, to: number] {
  const from = place(subject, dice);
  return [from, Math.min(subject.stored.length, from + 1 + dice.below(dice.pick([4, 40, 70_000])))];
}

function changed(stored: Buffer, at: number, byte: (old: number) => number): Buffer {
  const copy = Buffer.from(stored);
  copy[at] = byte(copy[at] as number);
  return copy;
}

export const MUTATIONS: Record<string, Mutation> = {
  'a bit flipped': (subject, dice) => {
    return changed(subject.stored, place(subject, dice), (old) => old ^ (1 << dice.below(8)));
  },
  'a byte set': (subject, dice) => changed(subject.stored, place(subject, dice), () => dice.below(256)),
  'a range zeroed': (subject, dice) => Buffer.from(subject.stored).fill(0, ...range(subject, dice)),
  'a range of noise': (subject, dice) => {
    const [from, to] = range(subject, dice);
    return join(subject.stored.subarray(0, from), dice.bytes(to - from), subject.stored.subarray(to));
  },
  'the end cut off': (subject, dice) => subject.stored.subarray(0, place(subject, dice)),
  'the front cut off': (subject, dice) => subject.stored.subarray(1 + place(subject, dice)),
  'a range cut out': (subject, dice) => {
    const [from, to] = range(subject, dice);
    return join(subject.stored.subarray(0, from), subject.stored.subarray(to));
  },
  'a range doubled': (subject, dice) => {
    const [from, to] = range(subject, dice);
    return join(subject.stored.subarray(0, to), subject.stored.subarray(from));
  },
  'bytes put in': (subject, dice) => {
    const at = place(subject, dice);
    const bytes = dice.bytes(1 + dice.below(dice.pick([4, 100])));
    return join(subject.stored.subarray(0, at), bytes, subject.stored.subarray(at));
  },
  'bytes put after it': (subject, dice) => join(subject.stored, dice.bytes(1 + dice.below(100))),
  'a length changed': (subject, dice) => {
    const copy = Buffer.from(subject.stored);
    const value = dice.pick([0, 1, 15, 16, 65_551, 65_552, 65_553, 66_576, 66_577, 2 ** 32 - 1]);
    copy.writeUInt32BE(value, dice.pick(chunkStarts(copy)));
    return copy;
  },
  'two chunks swapped': (subject, dice) => {
    const chunks = chunksOf(subject.stored);
    const [a, b] = [dice.below(chunks.length), dice.below(chunks.length)];
    const order = chunks.map((chunk, index) => (index === a ? chunks[b] : index === b ? chunks[a] : chunk));
    return join(subject.stored.subarray(0, 32), ...(order as Buffer[]), afterChunks(subject.stored));
  },
  'chunks left out or doubled': (subject, dice) => {
    const chunks = chunksOf(subject.stored).flatMap((chunk) => dice.pick([[chunk], [], [chunk, chunk]]));
    return join(subject.stored.subarray(0, 32), ...chunks, afterChunks(subject.stored));
  },
  'a chunk of another file': (subject, dice) => {
    const chunks = chunksOf(subject.stored);
    chunks[dice.below(chunks.length)] = dice.pick(chunksOf(subject.other));
    return join(subject.stored.subarray(0, 32), ...chunks, afterChunks(subject.stored));
  },
  'cut between chunks, with a false end mark': (subject, dice) => {
    const at = dice.pick(chunkStarts(subject.stored).slice(0, -1));
    const tail = dice.pick([Buffer.alloc(0), afterMark(subject.stored), afterMark(subject.other)]);
    return join(subject.stored.subarray(0, at), END_MARK, tail);
  },
  'no trailer': ({ stored }) => stored.subarray(0, stored.length - afterMark(stored).length),
  'the trailer of another file': ({ stored, other }) => {
    return join(stored.subarray(0, stored.length - afterMark(stored).length), afterMark(other));
  },
  'the trailer twice': ({ stored }) => join(stored, afterMark(stored)),
  'the start of one file, the rest of another': (subject, dice) => {
    const at = Math.max(1, place(subject, dice));
    return join(subject.stored.subarray(0, at), subject.other.subarray(at));
  },
};
