import type { Snapshot } from '../types.ts';

type Key = keyof Snapshot;

/** What a computation has read from a snapshot. Times are only as exact as ages are shown. */
export type Reads = ReadonlyMap<Key, unknown>;

const MINUTE = 60_000;

function partOf(snapshot: Snapshot, key: Key): unknown {
  return key === 'now' ? Math.floor(snapshot.now / MINUTE) : snapshot[key];
}

/** Makes a function that computes with a snapshot and says what of it was read: the same object for the same parts. */
export function trackReads(snapshot: Snapshot): <T>(compute: (snapshot: Snapshot) => T) => [T, Reads] {
  const bits = new Map<Key, number>();
  const known = new Map<number, Reads>();
  let mask = 0;

  function bitOf(key: Key): number {
    const bit = bits.get(key) ?? 1 << bits.size;
    bits.set(key, bit);
    return bit;
  }

  function readsOf(all: number): Reads {
    const reads =
      known.get(all) ??
      new Map([...bits].filter(([, bit]) => all & bit).map(([key]) => [key, partOf(snapshot, key)]));
    known.set(all, reads);
    return reads;
  }

  const tracked = new Proxy(snapshot, {
    get(target, key) {
      mask |= bitOf(key as Key);
      return target[key as Key];
    },
  });
  return (compute) => {
    mask = 0;
    return [compute(tracked), readsOf(mask)];
  };
}

/** Makes a function that says whether a computation would give the same result: nothing that it has read has changed. */
export function currentReads(snapshot: Snapshot): (reads: Reads) => boolean {
  const known = new Map<Reads, boolean>();
  return (reads) => {
    const current =
      known.get(reads) ?? [...reads].every(([key, value]) => Object.is(partOf(snapshot, key), value));
    known.set(reads, current);
    return current;
  };
}
