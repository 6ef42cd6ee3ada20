import { crc32 } from 'node:zlib';
import { BifractError } from '../../contract/errors.ts';
import { bytesWanted, type DumpNeeds, NeedsCollector } from './dump-needs.ts';

/** Versions of PostgreSQL's custom dump format that this reader knows: PostgreSQL 9.0 (1.12) to 18 (1.16). */
const OLDEST = version(1, 12);
const NEWEST = version(1, 16);
const WITH_TABLE_AM = version(1, 14);
const WITH_COMPRESSION_BYTE = version(1, 15);
const WITH_RELKIND = version(1, 16);

const MAGIC = 'PGDMP';
const CUSTOM_FORMAT = 1;
/** State of an entry's data in the table of contents: this entry has none. */
const NO_DATA = 3;
const TABLE_BLOCK = 1;
const LARGE_OBJECTS_BLOCK = 3;

/** Names are kept in memory, so a damaged length must not make one of them gigabytes. PostgreSQL's limit is 63 bytes. */
const MAX_NAME_BYTES = 4096;
const MAX_NUMBER_BYTES = 20;
/** Memory for all entries with data: their names, and what an entry takes without them. Enough for 500,000 tables. */
const MAX_ENTRIES_BYTES = 128 * 1024 * 1024;
const ENTRY_BYTES = 150;
/** Second, minute, hour, day, month, year from 1900, daylight saving: when the dump was made. */
const TIME_FIELDS = [
  [0, 61],
  [0, 59],
  [0, 23],
  [1, 31],
  [0, 11],
  [70, 1000],
  [-1, 1],
] as const;
/** pg_dump ends the rows of a COPY with this. */
const END_OF_ROWS = Buffer.from('\\.\n\n\n', 'latin1');
const NEWLINES_OF_END = 3;
const NEWLINE = 0x0a;

/** The CRC-32 of rows with pg_dump's end mark after them. */
export function withEndOfRows(crc: number): number {
  return crc32(END_OF_ROWS, crc);
}

/** The data of one table in a dump. */
export interface DumpedTable {
  schema: string;
  name: string;
  /** Rows of its COPY data; null if the dump is compressed or made of INSERT statements. */
  rows: number | null;
  /** CRC-32 of those rows with what follows them, as `withEndOfRows` has it; null if not counted or not requested. */
  crc32: number | null;
  /** Whether the dump also creates the table. */
  defined: boolean;
}

/** CRC-32 of what each entry of a table of contents defines, and of the names in the header, and how many have it. */
export type Definitions = ReadonlyMap<number, number>;

/** Whether the CRC-32 of a table is wanted; it takes as long as all other reading. */
type IsWanted = (table: Pick<DumpedTable, 'schema' | 'name'>) => boolean;

/** What a complete dump contains. */
export interface DumpContents {
  /** Format version, for example `1.14`. */
  format: string;
  compressed: boolean;
  /** Tables with data, in the order of the dump. An empty table is one of them. */
  tables: DumpedTable[];
  /** Large objects with data. An empty one is one of them. */
  large_objects: number;
  /** Entries in the table of contents. */
  entries: number;
  /** Empty if not requested. */
  definitions: Definitions;
  needs: DumpNeeds;
}

/** An entry of the table of contents that must have a data block. */
interface DataEntry {
  schema: string;
  name: string;
  /** Its data are COPY rows, and not INSERT statements or large objects. */
  isCopy: boolean;
  isTable: boolean;
  /** The dump also creates the table. */
  defined?: boolean;
}

/** Bytes that the parser asks for: `take` returns them, `skip` passes over them. */
type Wanted = { take: number } | { skip: number };

/**
 * Reads a dump in PostgreSQL's custom format (`pg_dump -Fc`) as it passes, and proves that it is complete: header, table
 * of contents, and one data block for every entry that has data, each up to its end mark.
 *
 * Memory does not depend on the size of the data. `push` and `end` throw `CUT_OFF` or `DAMAGED` if the dump is not
 * complete, `UNSUPPORTED` if its format is newer or older than known.
 *
 * The format has no mark at its end: only the table of contents says which blocks must follow. Source: PostgreSQL's
 * `pg_backup_custom.c`, `pg_backup_archiver.c`.
 */
export class DumpReader {
  readonly #parser = this.#parse();
  #wanted: Wanted | undefined;
  /** Bytes of an unfinished `take`. */
  #part: Buffer[] = [];
  #missing: number;
  #contents: DumpContents | undefined;
  #intBytes = 4;
  readonly #expected = new Map<number, DataEntry>();
  #entriesBytes = 0;
  readonly #defined = new Set<string>();
  readonly #definitions: Map<number, number> | undefined;
  /** CRC-32 of the current entry so far; undefined where nothing is to be compared. */
  #crc: number | undefined;

  // The data part, which is nearly all of a dump, is read without the generator.
  #block: BlockReader | undefined;
  readonly #checksums: IsWanted;

  constructor({
    checksums = () => false,
    definitions = false,
  }: { checksums?: IsWanted; definitions?: boolean } = {}) {
    this.#checksums = checksums;
    if (definitions) this.#definitions = new Map();
    this.#wanted = this.#parser.next().value as Wanted;
    this.#missing = amount(this.#wanted);
  }

  /** Reads the next bytes of the dump. They are not kept. */
  push(piece: Buffer): void {
    let at = 0;
    while (at < piece.length && this.#wanted) {
      const end = Math.min(piece.length, at + this.#missing);
      const part = piece.subarray(at, end);
      if ('take' in this.#wanted) this.#part.push(part);
      if (this.#crc !== undefined) this.#crc = crc32(part, this.#crc);
      this.#missing -= end - at;
      at = end;
      if (this.#missing === 0) this.#advance();
    }
    if (at < piece.length) this.#block?.push(at === 0 ? piece : piece.subarray(at));
  }

  /** Call it after the last byte: proves that nothing is missing. */
  end(): DumpContents {
    if (!this.#block || !this.#contents) throw cutOff('the dump ends within its header or table of contents');
    this.#block.end();
    const [missing] = this.#expected.values();
    if (missing) throw cutOff(`the dump has no data block for ${nameOf(missing)}`);
    return this.#contents;
  }

  #advance(): void {
    const taken = this.#part.length === 1 ? (this.#part[0] as Buffer) : Buffer.concat(this.#part);
    this.#part = [];
    for (let next = this.#parser.next(taken); ; next = this.#parser.next(EMPTY)) {
      this.#wanted = next.done ? undefined : next.value;
      this.#missing = this.#wanted ? amount(this.#wanted) : 0;
      if (!this.#wanted || this.#missing > 0) return;
    }
  }

  *#parse(): Generator<Wanted, void, Buffer> {
    const magic = yield { take: MAGIC.length };
    if (magic.toString('latin1') !== MAGIC) throw damaged('it does not start with PGDMP');
    const [major = 0, minor = 0, , intBytes = 0, offsetBytes = 0, format = 0] = yield { take: 6 };
    if (major !== 1) throw damaged('its header is invalid');
    const archiveVersion = version(major, minor);
    if (archiveVersion < OLDEST || archiveVersion > NEWEST) throw unsupported(`${major}.${minor}`);
    if (format !== CUSTOM_FORMAT)
      throw damaged(`its format is ${format} instead of ${CUSTOM_FORMAT} (custom)`);
    if (![4, 8].includes(intBytes) || ![4, 8].includes(offsetBytes)) throw damaged('its header is invalid');
    this.#intBytes = intBytes;
    const compressed =
      archiveVersion >= WITH_COMPRESSION_BYTE
        ? ((yield { take: 1 })[0] as number) !== 0
        : (yield* this.#integerWithin(-1, 9, 'its compression level')) !== 0;
    for (const [least, most] of TIME_FIELDS) yield* this.#integerWithin(least, most, 'its time');
    this.#startDefinition();
    yield* this.#string();
    for (const program of ['server', 'pg_dump'])
      if (!/^\d/.test(yield* this.#string())) throw damaged(`the version of its ${program} is invalid`);
    this.#endDefinition();
    const entries = yield* this.#integer();
    if (entries < 0) throw damaged('its table of contents has a negative length');
    const needs = new NeedsCollector();
    for (let entry = 0; entry < entries; entry++) yield* this.#entry(archiveVersion, offsetBytes, needs);
    for (const entry of this.#expected.values()) entry.defined = this.#defined.has(keyOf(entry));
    this.#defined.clear();
    const contents: DumpContents = {
      format: `${major}.${minor}`,
      compressed,
      tables: [],
      large_objects: 0,
      entries,
      definitions: this.#definitions ?? new Map(),
      needs: needs.needs(),
    };
    this.#contents = contents;
    this.#block = new BlockReader(intBytes, this.#expected, contents, this.#checksums);
  }

  *#entry(
    archiveVersion: number,
    offsetBytes: number,
    needs: NeedsCollector,
  ): Generator<Wanted, void, Buffer> {
    const id = yield* this.#integer();
    const hasData = yield* this.#integerWithin(0, 1, 'an entry');
    for (let oid = 0; oid < 2; oid++) yield* this.#number();
    this.#startDefinition();
    const tag = yield* this.#string();
    const description = yield* this.#string();
    yield* this.#integerWithin(1, 4, 'the section of an entry');
    const definition = yield* this.#beginning(bytesWanted(description));
    // The drop statement.
    yield* this.#skipString();
    const isCopy = yield* this.#skipString();
    const schema = yield* this.#string();
    const tablespace = yield* this.#string();
    if (archiveVersion >= WITH_TABLE_AM) yield* this.#skipString();
    if (archiveVersion >= WITH_RELKIND) yield* this.#integer();
    const owner = yield* this.#string();
    needs.add({ description, tag, tablespace, owner, definition });
    if (!/^(true|false)$/.test(yield* this.#string())) throw damaged('an entry is invalid');
    this.#endDefinition();
    while (yield* this.#number());
    const [state = 0] = yield { take: 1 };
    yield { skip: offsetBytes };
    if (state < 1 || state > NO_DATA || (state === NO_DATA) === (hasData === 1))
      throw damaged('an entry of its table of contents is invalid');
    if (description === 'TABLE') this.#defined.add(keyOf({ schema, name: tag }));
    if (state === NO_DATA) return;
    if (this.#expected.has(id)) throw damaged(`two entries of its table of contents have the number ${id}`);
    this.#entriesBytes += ENTRY_BYTES + 2 * (tag.length + schema.length);
    if (this.#entriesBytes > MAX_ENTRIES_BYTES) throw damaged('its table of contents is too long');
    this.#expected.set(id, { schema, name: tag, isCopy, isTable: description === 'TABLE DATA' });
  }

  #startDefinition(): void {
    if (this.#definitions) this.#crc = 0;
  }

  /** The numbers of entries, and what depends on what, belong to one dump only. */
  #endDefinition(): void {
    if (this.#crc !== undefined)
      this.#definitions?.set(this.#crc, 1 + (this.#definitions.get(this.#crc) ?? 0));
    this.#crc = undefined;
  }

  /** A number that is written as text; false if it is absent. */
  *#number(): Generator<Wanted, boolean, Buffer> {
    const length = yield* this.#integer();
    if (length < 0) return false;
    const text = length > MAX_NUMBER_BYTES ? '' : (yield { take: length }).toString('latin1');
    if (!/^\d+$/.test(text)) throw damaged('a number in its table of contents is invalid');
    return true;
  }

  *#integerWithin(least: number, most: number, what: string): Generator<Wanted, number, Buffer> {
    const value = yield* this.#integer();
    if (value < least || value > most) throw damaged(`${what} is invalid`);
    return value;
  }

  *#integer(): Generator<Wanted, number, Buffer> {
    return integerIn(yield { take: 1 + this.#intBytes }, 0, this.#intBytes);
  }

  /** False for a string that is absent. */
  *#skipString(): Generator<Wanted, boolean, Buffer> {
    const length = yield* this.#integer();
    if (length > 0) yield { skip: length };
    return length >= 0;
  }

  /** The first bytes of a string; the others are passed over. */
  *#beginning(bytes: number): Generator<Wanted, string, Buffer> {
    const length = yield* this.#integer();
    const kept = Math.max(0, Math.min(length, bytes));
    const text = kept > 0 ? (yield { take: kept }).toString('utf8') : '';
    if (length > kept) yield { skip: length - kept };
    return text;
  }

  *#string(): Generator<Wanted, string, Buffer> {
    const length = yield* this.#integer();
    if (length > MAX_NAME_BYTES) throw damaged('a name in its table of contents is too long');
    return length > 0 ? (yield { take: length }).toString('utf8') : '';
  }
}

const EMPTY = Buffer.alloc(0);

/** Reads the data blocks: a type, the number of their entry, pieces with their lengths, and a length of zero. */
class BlockReader {
  readonly #intBytes: number;
  readonly #expected: Map<number, DataEntry>;
  /** Filled with what the blocks hold. */
  readonly #contents: DumpContents;
  readonly #checksums: IsWanted;
  /** What comes next. `object`: the number of a large object, or zero at the end of its block. */
  #state: 'type' | 'id' | 'object' | 'length' | 'data' = 'type';
  #type = 0;
  #entry: DataEntry | undefined;
  /** Bytes that are left of the current piece of data. */
  #left = 0;
  #newlines = 0;
  /** CRC-32 of the block's data, if wanted. */
  #crc: number | null = null;
  /** The next newline in the bytes at hand. */
  #newline = -1;
  /** The last bytes of the block's data. */
  readonly #tail = Buffer.alloc(END_OF_ROWS.length);
  /** An integer that is cut by the end of a buffer. */
  readonly #scratch: Buffer;
  #filled = 0;

  constructor(
    intBytes: number,
    expected: Map<number, DataEntry>,
    contents: DumpContents,
    checksums: IsWanted,
  ) {
    this.#intBytes = intBytes;
    this.#expected = expected;
    this.#contents = contents;
    this.#checksums = checksums;
    this.#scratch = Buffer.alloc(1 + intBytes);
  }

  push(bytes: Buffer): void {
    const size = 1 + this.#intBytes;
    this.#newline = -1;
    for (let at = 0; at < bytes.length; ) {
      if (this.#state === 'data') at = this.#data(bytes, at);
      else if (this.#state === 'type') this.#start(bytes[at++] as number);
      else if (this.#filled === 0 && bytes.length - at >= size) {
        this.#integer(integerIn(bytes, at, this.#intBytes));
        at += size;
      } else {
        const copied = bytes.copy(this.#scratch, this.#filled, at, at + size - this.#filled);
        at += copied;
        this.#filled += copied;
        if (this.#filled < size) return;
        this.#filled = 0;
        this.#integer(integerIn(this.#scratch, 0, this.#intBytes));
      }
    }
  }

  end(): void {
    if (this.#state !== 'type') throw cutOff(`the dump ends within the data of ${nameOf(this.#entry)}`);
  }

  #start(type: number): void {
    if (type !== TABLE_BLOCK && type !== LARGE_OBJECTS_BLOCK)
      throw damaged(`a data block has the type ${type}`);
    this.#type = type;
    this.#state = 'id';
  }

  #integer(value: number): void {
    if (this.#state === 'id') this.#open(value);
    else if (this.#state === 'object') {
      if (value !== 0) this.#contents.large_objects++;
      this.#state = value === 0 ? this.#close() : 'length';
    } else if (value < 0) throw damaged(`the data of ${nameOf(this.#entry)} has a negative length`);
    else if (value > 0) {
      this.#left = value;
      this.#state = 'data';
    } else this.#state = this.#type === TABLE_BLOCK ? this.#close() : 'object';
  }

  #open(id: number): void {
    this.#entry = this.#expected.get(id);
    if (!this.#entry) throw damaged(`a data block is of entry ${id}, which has no data or already had one`);
    this.#expected.delete(id);
    this.#newlines = 0;
    this.#crc = this.#checksums(this.#entry) ? 0 : null;
    this.#tail.fill(0);
    this.#state = this.#type === TABLE_BLOCK ? 'length' : 'object';
  }

  #data(bytes: Buffer, start: number): number {
    const end = Math.min(bytes.length, start + this.#left);
    if (!this.#contents.compressed && this.#type === TABLE_BLOCK) {
      // One search a row, and never the same bytes twice: pg_dump writes each row as a piece.
      if (this.#newline < start) this.#newline = newlineFrom(bytes, start);
      while (this.#newline < end) {
        this.#newlines++;
        this.#newline = newlineFrom(bytes, this.#newline + 1);
      }
      this.#keepTail(bytes, start, end);
      if (this.#crc !== null) this.#crc = crc32(bytes.subarray(start, end), this.#crc);
    }
    this.#left -= end - start;
    if (this.#left === 0) this.#state = 'length';
    return end;
  }

  #keepTail(bytes: Buffer, start: number, end: number): void {
    const size = this.#tail.length;
    const length = end - start;
    if (length < size) this.#tail.copyWithin(0, length);
    bytes.copy(this.#tail, Math.max(0, size - length), Math.max(start, end - size), end);
  }

  #close(): 'type' {
    const { schema, name, isCopy, isTable, defined = false } = this.#entry as DataEntry;
    if (isTable) {
      const counts = isCopy && !this.#contents.compressed;
      if (counts && !this.#tail.equals(END_OF_ROWS))
        throw cutOff(`the rows of ${nameOf(this.#entry)} do not end with the end mark of COPY`);
      const rows = counts ? this.#newlines - NEWLINES_OF_END : null;
      this.#contents.tables.push({ schema, name, rows, crc32: counts ? this.#crc : null, defined });
    }
    return 'type';
  }
}

function newlineFrom(bytes: Buffer, start: number): number {
  const at = bytes.indexOf(NEWLINE, start);
  return at < 0 ? Number.POSITIVE_INFINITY : at;
}

/** A sign, and the number's bytes, the lowest first. */
function integerIn(bytes: Buffer, at: number, size: number): number {
  const value = size === 4 ? bytes.readUInt32LE(at + 1) : Number(bytes.readBigUInt64LE(at + 1));
  return bytes[at] === 0 ? value : -value;
}

function version(major: number, minor: number): number {
  return major * 256 + minor;
}

function amount(wanted: Wanted): number {
  return 'take' in wanted ? wanted.take : wanted.skip;
}

function keyOf({ schema, name }: { schema: string; name: string }): string {
  return JSON.stringify([schema, name]);
}

function nameOf(entry: DataEntry | undefined): string {
  if (!entry) return 'a table';
  return entry.isTable ? `${entry.schema}.${entry.name}` : entry.name || 'the large objects';
}

function cutOff(reason: string): BifractError {
  return new BifractError('CUT_OFF', `The dump is incomplete: ${reason}`);
}

function damaged(reason: string): BifractError {
  return new BifractError('DAMAGED', `This is not a valid dump: ${reason}`);
}

function unsupported(format: string): BifractError {
  return new BifractError('UNSUPPORTED', `The dump has format ${format}, which cannot be checked`, {
    hint: `Formats 1.12 (PostgreSQL 9.0) to 1.16 (PostgreSQL 18) are known. Update this program.`,
  });
}
