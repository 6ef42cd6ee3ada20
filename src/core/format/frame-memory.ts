/**
 * Gives the memory of bytes back that nobody reads any more, where it holds nothing else: small ones are views of Node's
 * shared pool, in which others live. `room`: what was taken for these bytes, if that was more.
 */
export function release({ buffer, byteLength }: Buffer, room = byteLength): void {
  const own = buffer.byteLength === byteLength || buffer.byteLength === room;
  if (own && buffer instanceof ArrayBuffer) buffer.transfer(0);
}

/**
 * Memory of frames, used again once a frame is compressed. Left to the collector it would be found late, and what holds
 * so many bytes makes it look at all of the heap again and again.
 */
export class FrameMemory {
  readonly #free: Buffer[] = [];

  /** At least that many bytes, with whatever is in them. */
  take(size: number): Buffer {
    const kept = this.#free.pop();
    return kept && kept.length >= size ? kept : Buffer.allocUnsafeSlow(size);
  }

  /** Gives back what `take` gave. Memory that only something long needed goes. */
  give(memory: Buffer, usual: number): void {
    if (memory.length <= usual) this.#free.push(memory);
  }
}
