/** Seeded random numbers (mulberry32). */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** An integer from 0 to `limit - 1`. */
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

/** A file to damage, and another one with the same key to take pieces from. */
export interface Subject {
  name: string;
  stored: Buffer;
  other: Buffer;
  /** Content of the undamaged file. */
  content: Buffer;
  /** Whether any damage must be detected: the file has a trailer. */
  sealed: boolean;
}

type Mutation = (subject: Subject, dice: Dice) => Buffer;

const join = (...parts: Buffer[]) => Buffer.concat(parts);
const END_MARKER = Buffer.alloc(4);

/** Offsets of the chunks, and of the end marker. */
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
const afterMarker = (stored: Buffer) => afterChunks(stored).subarray(4);

/** A random offset, in half of the cases near a boundary. */
function offset(subject: Subject, dice: Dice): number {
  const { stored } = subject;
  if (dice.below(2) === 0) return dice.below(stored.length);
  const near = dice.pick([0, 16, ...chunkStarts(stored), stored.length - 16, stored.length]);
  return Math.max(0, Math.min(stored.length - 1, near + dice.below(41) - 20));
}

function range(subject: Subject, dice: Dice): [from: number, to: number] {
  const from = offset(subject, dice);
  return [from, Math.min(subject.stored.length, from + 1 + dice.below(dice.pick([4, 40, 70_000])))];
}

function changed(stored: Buffer, at: number, byte: (old: number) => number): Buffer {
  const copy = Buffer.from(stored);
  copy[at] = byte(copy[at] as number);
  return copy;
}

export const MUTATIONS: Record<string, Mutation> = {
  'flip a bit': (subject, dice) => {
    return changed(subject.stored, offset(subject, dice), (old) => old ^ (1 << dice.below(8)));
  },
  'set a byte': (subject, dice) => changed(subject.stored, offset(subject, dice), () => dice.below(256)),
  'zero a range': (subject, dice) => Buffer.from(subject.stored).fill(0, ...range(subject, dice)),
  'randomize a range': (subject, dice) => {
    const [from, to] = range(subject, dice);
    return join(subject.stored.subarray(0, from), dice.bytes(to - from), subject.stored.subarray(to));
  },
  'cut off the end': (subject, dice) => subject.stored.subarray(0, offset(subject, dice)),
  'cut off the start': (subject, dice) => subject.stored.subarray(1 + offset(subject, dice)),
  'remove a range': (subject, dice) => {
    const [from, to] = range(subject, dice);
    return join(subject.stored.subarray(0, from), subject.stored.subarray(to));
  },
  'duplicate a range': (subject, dice) => {
    const [from, to] = range(subject, dice);
    return join(subject.stored.subarray(0, to), subject.stored.subarray(from));
  },
  'insert bytes': (subject, dice) => {
    const at = offset(subject, dice);
    const bytes = dice.bytes(1 + dice.below(dice.pick([4, 100])));
    return join(subject.stored.subarray(0, at), bytes, subject.stored.subarray(at));
  },
  'append bytes': (subject, dice) => join(subject.stored, dice.bytes(1 + dice.below(100))),
  'change a length': (subject, dice) => {
    const copy = Buffer.from(subject.stored);
    const value = dice.pick([0, 1, 15, 16, 65_551, 65_552, 65_553, 66_576, 66_577, 2 ** 32 - 1]);
    copy.writeUInt32BE(value, dice.pick(chunkStarts(copy)));
    return copy;
  },
  'swap two chunks': (subject, dice) => {
    const chunks = chunksOf(subject.stored);
    const [a, b] = [dice.below(chunks.length), dice.below(chunks.length)];
    const order = chunks.map((chunk, index) => (index === a ? chunks[b] : index === b ? chunks[a] : chunk));
    return join(subject.stored.subarray(0, 32), ...(order as Buffer[]), afterChunks(subject.stored));
  },
  'remove or duplicate chunks': (subject, dice) => {
    const chunks = chunksOf(subject.stored).flatMap((chunk) => dice.pick([[chunk], [], [chunk, chunk]]));
    return join(subject.stored.subarray(0, 32), ...chunks, afterChunks(subject.stored));
  },
  'splice in a chunk of another file': (subject, dice) => {
    const chunks = chunksOf(subject.stored);
    chunks[dice.below(chunks.length)] = dice.pick(chunksOf(subject.other));
    return join(subject.stored.subarray(0, 32), ...chunks, afterChunks(subject.stored));
  },
  'cut between chunks, with a forged end marker': (subject, dice) => {
    const at = dice.pick(chunkStarts(subject.stored).slice(0, -1));
    const tail = dice.pick([Buffer.alloc(0), afterMarker(subject.stored), afterMarker(subject.other)]);
    return join(subject.stored.subarray(0, at), END_MARKER, tail);
  },
  'remove the trailer': ({ stored }) => stored.subarray(0, stored.length - afterMarker(stored).length),
  'replace the trailer with that of another file': ({ stored, other }) => {
    return join(stored.subarray(0, stored.length - afterMarker(stored).length), afterMarker(other));
  },
  'duplicate the trailer': ({ stored }) => join(stored, afterMarker(stored)),
  'join two files': (subject, dice) => {
    const at = Math.max(1, offset(subject, dice));
    return join(subject.stored.subarray(0, at), subject.other.subarray(at));
  },
};
