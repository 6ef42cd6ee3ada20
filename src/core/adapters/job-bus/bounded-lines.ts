const NEWLINE = 0x0a;

/**
 * The lines of a stream, without their newlines. Ends at a line longer than `limit` bytes, which cannot be of our
 * protocol. Text after the last newline is not a line.
 */
export async function* boundedLines(chunks: AsyncIterable<Buffer>, limit: number): AsyncGenerator<string> {
  let parts: Buffer[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      if (size + end - from > limit) return;
      yield Buffer.concat([...parts, chunk.subarray(from, end)]).toString();
      [parts, size, from] = [[], 0, end + 1];
    }
    parts.push(chunk.subarray(from));
    size += chunk.length - from;
    if (size > limit) return;
  }
}
