const NEWLINE = 0x0a;
const BLOCK_BYTES = 1024 * 1024;

/**
 * Splits complete lines into blocks of about 1 MiB. The cuts depend only on the lines, not on the input
 * pieces: reading a file again gives the same blocks.
 */
export async function* sizedBlocks(lines: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let held: Buffer[] = [];
  let size = 0;
  for await (const piece of lines) {
    held.push(piece);
    size += piece.length;
    if (size < BLOCK_BYTES) continue;
    let rest = Buffer.concat(held, size);
    while (rest.length >= BLOCK_BYTES) {
      const end = rest.indexOf(NEWLINE, BLOCK_BYTES - 1) + 1;
      yield rest.subarray(0, end);
      rest = rest.subarray(end);
    }
    held = rest.length > 0 ? [rest] : [];
    size = rest.length;
  }
  if (size > 0) yield Buffer.concat(held, size);
}
