import { parentPort } from 'node:worker_threads';
import { BUFFER_BYTES, GrowableBuffer, LineBufferPool } from '../buffers.ts';
import type { FromThread, ToThread } from './decode-thread.ts';
import { type Decoded, Decoder } from './decoder.ts';

const buffers = new LineBufferPool();
/** More than most blocks. Pages that stay untouched take no memory, but smaller buffers that it outgrew would for long. */
const INPUT_BYTES = 8 << 20;
const input = new GrowableBuffer(Buffer.allocUnsafeSlow(INPUT_BYTES));
let decoder = new Decoder({ fractal_id: '', fields: true }, buffers);

parentPort?.on('message', (message: ToThread) => {
  if ('start' in message) {
    decoder = new Decoder(message.start, buffers, input);
    return;
  }
  if ('finish' in message) return reply(decoder.finish());
  for (const buffer of message.recycled) buffers.release(buffer);
  reply(decoder.add(Buffer.from(message.buffer, 0, message.length)), message.buffer);
});

function reply({ blocks, end }: Decoded, buffer?: ArrayBuffer): void {
  const sent = blocks.map(({ bytes, lines }) => ({ memory: memoryOf(bytes), length: bytes.length, lines }));
  const message: FromThread = { blocks: sent, end, buffer };
  const transfer = sent.map(({ memory }) => memory);
  parentPort?.postMessage(message, buffer ? [...transfer, buffer] : transfer);
}

/** Memory that starts with these bytes and is used for nothing else. */
function memoryOf(bytes: Buffer): ArrayBuffer {
  const { buffer, byteOffset } = bytes;
  // Small buffers may share Node's pool.
  const exclusive = buffer instanceof ArrayBuffer && byteOffset === 0 && buffer.byteLength >= BUFFER_BYTES;
  return exclusive ? buffer : new Uint8Array(bytes).buffer;
}
