/** An entry in the table of contents of a dump. */
export interface DumpEntry {
  id: number;
  has_data: boolean;
  /** Two numbers as text. */
  oids: (string | null)[];
  tag: string | null;
  kind: string | null;
  section: number;
  definition: string | null;
  drop: string | null;
  copy: string | null;
  schema: string | null;
  tablespace: string | null;
  access_method: string | null;
  owner: string | null;
  dependencies: string[];
  /** State of the data, and where they begin. */
  position: Buffer;
}

/** A data block: its type, the number of its entry, and its data without the lengths of their pieces. */
export interface DumpBlock {
  type: number;
  id: number;
  /** The rows of a table with the end mark of COPY; of large objects, all that follows the number. */
  data: Buffer;
}

export const TABLE_BLOCK = 1;
const PIECE_BYTES = 8192;
const OFFSET_BYTES = 8;
const TIME_FIELDS = 7;

/**
 * A dump of pg_dump 15 (format 1.14, uncompressed, no large objects) in parts that a test can change, and write in this
 * format or a newer one. Shares no code with the program's own reader.
 */
export class DumpFile {
  time: number[] = [];
  database: string | null = null;
  versions: (string | null)[] = [];
  entries: DumpEntry[] = [];
  blocks: DumpBlock[] = [];

  static parse(bytes: Buffer): DumpFile {
    const input = new Input(bytes);
    const dump = new DumpFile();
    if (input.bytes(11).toString('hex') !== '5047444d50010e00040801') throw new Error('Not format 1.14');
    if (input.integer() !== 0) throw new Error('Compressed');
    dump.time = Array.from({ length: TIME_FIELDS }, () => input.integer());
    dump.database = input.string();
    dump.versions = [input.string(), input.string()];
    const entries = input.integer();
    for (let entry = 0; entry < entries; entry++) dump.entries.push(input.entry());
    while (!input.ended()) dump.blocks.push(input.block());
    return dump;
  }

  /** A copy that can be changed without changing this one. */
  clone(): DumpFile {
    return Object.assign(new DumpFile(), structuredClone({ ...this }), {
      entries: this.entries.map((entry) => ({ ...entry })),
      blocks: this.blocks.map((block) => ({ ...block })),
    });
  }

  /** The entry of a table's data. */
  entryOf(table: string): DumpEntry {
    const entry = this.entries.find(({ kind, tag }) => kind === 'TABLE DATA' && tag === table);
    if (!entry) throw new Error(`No data of ${table}`);
    return entry;
  }

  blockOf(table: string): DumpBlock {
    const { id } = this.entryOf(table);
    const block = this.blocks.find((one) => one.id === id);
    if (!block) throw new Error(`No block of ${table}`);
    return block;
  }

  /** The rows of a table. */
  rowsOf(table: string): string[] {
    return this.blockOf(table).data.toString('latin1').split('\n').slice(0, -4);
  }

  setRows(table: string, rows: readonly string[]): void {
    this.blockOf(table).data = tableData(rows);
  }

  /** The parts of the written dump: its header and table of contents, then each block. */
  parts({ minor = 14 } = {}): Buffer[] {
    const head = Buffer.concat([
      Buffer.from([...Buffer.from('PGDMP'), 1, minor, 0, 4, OFFSET_BYTES, 1]),
      minor >= 15 ? Buffer.from([0]) : integer(0),
      ...this.time.map(integer),
      ...[this.database, ...this.versions].map(string),
      integer(this.entries.length),
      ...this.entries.map((entry) => writeEntry(entry, minor)),
    ]);
    return [head, ...this.blocks.map(writeBlock)];
  }

  write(options?: { minor?: number }): Buffer {
    return Buffer.concat(this.parts(options));
  }
}

/** The data of a table with these rows. */
export function tableData(rows: readonly string[]): Buffer {
  return Buffer.from([...rows, '\\.\n\n\n'].join('\n'), 'latin1');
}

class Input {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  ended(): boolean {
    return this.#at === this.#bytes.length;
  }

  bytes(count: number): Buffer {
    this.#at += count;
    return this.#bytes.subarray(this.#at - count, this.#at);
  }

  integer(): number {
    const bytes = this.bytes(5);
    return bytes[0] === 0 ? bytes.readUInt32LE(1) : -bytes.readUInt32LE(1);
  }

  string(): string | null {
    const length = this.integer();
    return length < 0 ? null : this.bytes(length).toString('utf8');
  }

  entry(): DumpEntry {
    const id = this.integer();
    const has_data = this.integer() === 1;
    const oids = [this.string(), this.string()];
    const [tag, kind] = [this.string(), this.string()];
    const section = this.integer();
    const [definition, drop, copy] = [this.string(), this.string(), this.string()];
    const [schema, tablespace, access_method, owner] = [
      this.string(),
      this.string(),
      this.string(),
      this.string(),
    ];
    this.string();
    const dependencies = [];
    for (let one = this.string(); one !== null; one = this.string()) dependencies.push(one);
    const position = Buffer.from(this.bytes(1 + OFFSET_BYTES));
    return {
      id,
      has_data,
      oids,
      tag,
      kind,
      section,
      definition,
      drop,
      copy,
      schema,
      tablespace,
      access_method,
      owner,
      dependencies,
      position,
    };
  }

  block(): DumpBlock {
    const type = this.bytes(1)[0] as number;
    if (type !== TABLE_BLOCK) throw new Error(`A block of type ${type}`);
    const id = this.integer();
    const pieces = [];
    for (let length = this.integer(); length > 0; length = this.integer()) pieces.push(this.bytes(length));
    return { type, id, data: Buffer.concat(pieces) };
  }
}

function writeEntry(entry: DumpEntry, minor: number): Buffer {
  const { tag, kind, definition, drop, copy, schema, tablespace, access_method, owner } = entry;
  return Buffer.concat([
    integer(entry.id),
    integer(entry.has_data ? 1 : 0),
    ...[...entry.oids, tag, kind].map(string),
    integer(entry.section),
    ...[definition, drop, copy, schema, tablespace, access_method].map(string),
    ...(minor >= 16 ? [integer(0)] : []),
    ...[owner, 'false', ...entry.dependencies, null].map(string),
    entry.position,
  ]);
}

function writeBlock({ type, id, data }: DumpBlock): Buffer {
  const pieces = [];
  for (let at = 0; at < data.length; at += PIECE_BYTES) pieces.push(data.subarray(at, at + PIECE_BYTES));
  return Buffer.concat([
    Buffer.from([type]),
    integer(id),
    ...pieces.flatMap((piece) => [integer(piece.length), piece]),
    integer(0),
  ]);
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
