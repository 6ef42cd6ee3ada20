import type { Storage } from '../../src/core/ports/storage.ts';

/** Wraps a storage and counts reads. */
export function countReads(storage: Storage): { storage: Storage; reads: () => number; bytes: () => number } {
  let [reads, bytes] = [0, 0];
  const read: Storage['read'] = async (...range) => {
    const part = await storage.read(...range);
    reads++;
    bytes += part.length;
    return part;
  };
  const stream: Storage['stream'] = async function* (...range) {
    for await (const part of storage.stream(...range)) {
      bytes += part.length;
      yield part;
    }
  };
  const counted = new Proxy(storage, {
    get(target, key) {
      if (key === 'read') return read;
      if (key === 'stream') return stream;
      const value: unknown = Reflect.get(target, key);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  return { storage: counted, reads: () => reads, bytes: () => bytes };
}
