const NEWLINE = 0x0a;
const BLOCK_BYTES = 1024 * 1024;

/**
 * Cuts whole lines anew into blocks of about a MiB. Where the cuts are depends on the lines alone, not on the
 * pieces that they come in: reading a file again gives the same blocks.
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
