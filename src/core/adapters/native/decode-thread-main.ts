import { parentPort } from 'node:worker_threads';
import type { FromThread, ToThread } from './decode-thread.ts';
import { type Decoded, Decoder } from './decoder.ts';
import { LINES_BYTES, LineMemory } from './line-memory.ts';

/** The other side of `DecodeThread`. */
const memory = new LineMemory();
let decoder = new Decoder({ fractal_id: '', fields: true }, memory);

parentPort?.on('message', (message: ToThread) => {
  if ('begin' in message) {
    decoder = new Decoder(message.begin, memory);
    return;
  }
  if ('finish' in message) return answer(decoder.finish());
  for (const read of message.read) memory.give(read);
  answer(decoder.add(Buffer.from(message.buffer, 0, message.length)), message.buffer);
});

function answer({ blocks, end }: Decoded, buffer?: ArrayBuffer): void {
  const sent = blocks.map(({ bytes, lines }) => ({ memory: memoryOf(bytes), length: bytes.length, lines }));
  const message: FromThread = { blocks: sent, end, buffer };
  const transfer = sent.map(({ memory }) => memory);
  parentPort?.postMessage(message, buffer ? [...transfer, buffer] : transfer);
}

/** Memory that begins with these bytes, and is of no other use. */
function memoryOf(bytes: Buffer): ArrayBuffer {
  const { buffer, byteOffset } = bytes;
  // Small ones may lie in Node's own pool, among others.
  const own = buffer instanceof ArrayBuffer && byteOffset === 0 && buffer.byteLength >= LINES_BYTES;
  return own ? buffer : new Uint8Array(bytes).buffer;
}
