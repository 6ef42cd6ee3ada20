/**
 * Frees the memory of a buffer that is no longer needed, unless it shares that memory. The garbage collector would free it
 * late, because it counts only the small buffer object.
 */
export function freeBuffer({ buffer, byteLength }: Buffer): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0);
}
