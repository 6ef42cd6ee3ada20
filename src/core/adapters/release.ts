/**
 * Gives the memory of bytes back that nobody reads any more, where it holds nothing else. Left to the collector, it
 * would be found late: a buffer's object weighs next to nothing.
 */
export function release({ buffer, byteLength }: Buffer): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0);
}
