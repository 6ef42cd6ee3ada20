/** A table of a fake dump. `text` is the value of each of its rows. */
export interface FakeTable {
  schema: string;
  name: string;
  rows: number;
  text?: string;
}

/**
 * A dump in PostgreSQL's custom format (version 1.14, uncompressed) with the given tables: enough for whatever checks that
 * a dump is complete, and nothing that pg_restore could use.
 */
export function fakeDump(tables: readonly FakeTable[] = []): Buffer {
  const header = Buffer.concat([
    Buffer.from('PGDMP', 'latin1'),
    Buffer.from([1, 14, 0, 4, 8, 1]),
    ...[0, 56, 34, 12, 1, 2, 126, 0].map(integer),
    ...['bifract', '16.1', '16.1'].map(string),
    integer(2 * tables.length),
  ]);
  return Buffer.concat([
    header,
    ...tables.map((table, index) => entry(table, tables.length + index + 1, 'TABLE')),
    ...tables.map((table, index) => entry(table, index + 1, 'TABLE DATA')),
    ...tables.map(block),
  ]);
}

function entry({ schema, name }: FakeTable, id: number, kind: 'TABLE' | 'TABLE DATA'): Buffer {
  const hasData = kind === 'TABLE DATA';
  const copy = hasData ? `COPY ${schema}.${name} FROM stdin;\n` : null;
  return Buffer.concat([
    integer(id),
    integer(hasData ? 1 : 0),
    ...['0', '0', name, kind].map(string),
    integer(hasData ? 3 : 2),
    ...['', '', copy, schema, '', '', 'bifract', 'false', null].map(string),
    Buffer.from([hasData ? 1 : 3]),
    Buffer.alloc(8),
  ]);
}

function block({ rows, text = 'x' }: FakeTable, index: number): Buffer {
  const lines = [...Array.from({ length: rows }, () => `${text}\n`), '\\.\n\n\n'].map((line) =>
    Buffer.from(line),
  );
  const pieces = lines.flatMap((line) => [integer(line.length), line]);
  return Buffer.concat([Buffer.from([1]), integer(index + 1), ...pieces, integer(0)]);
}

function integer(value: number): Buffer {
  const bytes = Buffer.alloc(5);
  bytes[0] = value < 0 ? 1 : 0;
  bytes.writeUInt32LE(Math.abs(value), 1);
  return bytes;
}

function string(text: string | null): Buffer {
  if (text === null) return integer(-1);
  const bytes = Buffer.from(text);
  return Buffer.concat([integer(bytes.length), bytes]);
}
