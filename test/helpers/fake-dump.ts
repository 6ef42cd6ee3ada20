import { type DumpEntry, DumpFile, TABLE_BLOCK, tableData } from './dump-file.ts';

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
  const dump = new DumpFile();
  dump.time = [56, 34, 12, 1, 2, 126, 0];
  dump.database = 'bifract';
  dump.versions = ['16.1', '16.1'];
  dump.entries = [
    ...tables.map((table, index) => entry(table, tables.length + index + 1, 'TABLE')),
    ...tables.map((table, index) => entry(table, index + 1, 'TABLE DATA')),
  ];
  dump.blocks = tables.map(({ rows, text = 'x' }, index) => ({
    type: TABLE_BLOCK,
    id: index + 1,
    data: tableData(Array.from({ length: rows }, () => text)),
  }));
  return dump.write();
}

function entry({ schema, name }: FakeTable, id: number, kind: 'TABLE' | 'TABLE DATA'): DumpEntry {
  const has_data = kind === 'TABLE DATA';
  return {
    id,
    has_data,
    oids: ['0', '0'],
    tag: name,
    kind,
    section: has_data ? 3 : 2,
    definition: '',
    drop: '',
    copy: has_data ? `COPY ${schema}.${name} FROM stdin;\n` : null,
    schema,
    tablespace: '',
    access_method: '',
    owner: 'bifract',
    dependencies: [],
    position: Buffer.from([has_data ? 1 : 3, 0, 0, 0, 0, 0, 0, 0, 0]),
  };
}
