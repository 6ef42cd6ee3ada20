/** A row for `nativeBlock`, which encodes ClickHouse's Native format independently of the decoder. */
export interface NativeRow {
  ms: number;
  raw: string;
  id: string;
  /** String values by path. */
  fields: Record<string, string>;
}

/** A block of rows, as ClickHouse responds to the query of an archive. */
export function nativeBlock(rows: NativeRow[]): Buffer {
  const times = ticks(rows.map(({ ms }) => ms));
  const fields = rows.map((row) => row.fields);
  return Buffer.concat([
    varint(5),
    varint(rows.length),
    ...column('ts', "DateTime64(3, 'UTC')", [times]),
    ...column(
      'raw',
      'String',
      rows.map(({ raw }) => string(raw)),
    ),
    ...column(
      'id',
      'String',
      rows.map(({ id }) => string(id)),
    ),
    ...column('its', 'DateTime64(3)', [times]),
    ...column('fields', 'JSON(max_dynamic_paths=1024)', jsonValues(fields)),
  ]);
}

export function varint(value: number): Buffer {
  const bytes: number[] = [];
  let left = value;
  for (; left > 127; left = Math.floor(left / 128)) bytes.push((left % 128) | 128);
  return Buffer.from([...bytes, left]);
}

export function string(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([varint(bytes.length), bytes]);
}

function column(name: string, type: string, values: Buffer[]): Buffer[] {
  return [string(name), string(type), ...values];
}

function ticks(values: number[]): Buffer {
  const bytes = Buffer.alloc(8 * values.length);
  for (const [index, value] of values.entries()) bytes.writeBigInt64LE(BigInt(value), 8 * index);
  return bytes;
}

/** Version, paths and their types; then for each path a type index per row, and the values. */
function jsonValues(fields: Record<string, string>[]): Buffer[] {
  const version = ticks([3]);
  const paths = [...new Set(fields.flatMap((one) => Object.keys(one)))];
  const types = paths.flatMap(() => [version, varint(1), string('String')]);
  const values = paths.flatMap((path) => [
    Buffer.from(fields.map((one) => (path in one ? 0 : 1))),
    ...fields.flatMap((one) => (path in one ? [string(one[path] as string)] : [])),
  ]);
  return [version, varint(paths.length), ...paths.map(string), ...types, ...values];
}
