import { parentPort } from 'node:worker_threads';
import type { FromEncoder, ToEncoder } from './encode-thread.ts';
import { type Encoded, LineEncoder } from './line-encoder.ts';

let encoder: LineEncoder | undefined;

parentPort?.on('message', (message: ToEncoder) => {
  if ('start' in message) {
    encoder = new LineEncoder(message.start);
    return;
  }
  if ('finish' in message) return reply(encoder?.take(true));
  encoder?.add(message.buffer, message.length);
  reply(encoder?.take(), message.buffer);
});

function reply(encoded: Encoded = { blocks: [], texts: [] }, buffer?: ArrayBuffer): void {
  const spans = ({ buffer: memory, length }: Buffer<ArrayBuffer>) => ({ memory, length });
  const message: FromEncoder = {
    blocks: encoded.blocks.map(spans),
    text: Buffer.concat(encoded.texts),
    buffer,
  };
  const transfer = message.blocks.map(({ memory }) => memory);
  parentPort?.postMessage(message, buffer ? [...transfer, buffer] : transfer);
}
