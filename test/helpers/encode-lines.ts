import {
  type Encoded,
  type EncoderShape,
  LineEncoder,
  PADDING,
} from '../../src/core/adapters/clickhouse/native/line-encoder.ts';

/** Encodes complete lines at once. */
export function encodeLines(
  lines: Uint8Array,
  shape: EncoderShape,
  encoder = new LineEncoder(shape),
): Encoded {
  const memory = new ArrayBuffer(lines.length + PADDING);
  new Uint8Array(memory).set(lines);
  encoder.add(memory, lines.length);
  return encoder.take(true);
}
