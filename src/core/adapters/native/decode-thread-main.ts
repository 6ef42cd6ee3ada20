import { parentPort } from 'node:worker_threads';
import type { FromThread, ToThread } from './decode-thread.ts';
import { type Decoded, Decoder } from './decoder.ts';

/** The other side of `DecodeThread`. */
let decoder = new Decoder({ fractal_id: '', fields: true });

parentPort?.on('message', (message: ToThread) => {
  if ('begin' in message) {
    decoder = new Decoder(message.begin);
    return;
  }
  if ('finish' in message) return answer(decoder.finish());
  answer(decoder.add(Buffer.from(message.buffer, 0, message.length)), message.buffer);
});

function answer({ blocks, end }: Decoded, buffer?: ArrayBuffer): void {
  const exact = blocks.map(({ bytes, lines }) => ({ bytes: owned(bytes), lines }));
  const message: FromThread = { blocks: exact, end, buffer };
  const transfer = exact.map(({ bytes }) => bytes);
  parentPort?.postMessage(message, buffer ? [...transfer, buffer] : transfer);
}

/** Memory that holds these bytes and nothing else. */
function owned(bytes: Buffer): ArrayBuffer {
  const { buffer, byteOffset, length } = bytes;
  const whole = buffer instanceof ArrayBuffer && byteOffset === 0 && buffer.byteLength === length;
  return whole ? buffer : new Uint8Array(bytes).buffer;
}
