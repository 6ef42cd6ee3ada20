import type { DumpEntry, DumpFile } from '../helpers/dump-file.ts';

/** What the dump must have been made of: tables of the same shape with these rows. */
export interface Shape {
  /** Two tables with different numbers of rows, neither 0. */
  some: string;
  other: string;
  /** A table without rows. */
  empty: string;
}

/** Whole, well-formed dumps that are not the dump of the database, by what was done to them. */
export function mutilations(whole: DumpFile, { some, other, empty }: Shape): [what: string, DumpFile][] {
  const change = (what: string, edit: (dump: DumpFile) => void): [string, DumpFile] => {
    const dump = whole.clone();
    edit(dump);
    return [what, dump];
  };
  const rows = (dump: DumpFile, table: string, edit: (rows: string[]) => string[]) =>
    dump.setRows(table, edit(dump.rowsOf(table)));
  const drop = (dump: DumpFile, isDropped: (entry: DumpEntry) => boolean) => {
    const ids = new Set(dump.entries.filter(isDropped).map(({ id }) => id));
    dump.entries = dump.entries.filter(({ id }) => !ids.has(id));
    dump.blocks = dump.blocks.filter(({ id }) => !ids.has(id));
  };
  const isDataOf = (table: string) => (entry: DumpEntry) =>
    entry.kind === 'TABLE DATA' && entry.tag === table;
  const declareEmpty = (entry: DumpEntry) =>
    Object.assign(entry, { has_data: false, position: Buffer.concat([Buffer.from([3]), Buffer.alloc(8)]) });
  return [
    change('the last block is missing', (dump) => void dump.blocks.pop()),
    change('a block in the middle is missing', (dump) => void dump.blocks.splice(20, 1)),
    change('all blocks are missing', (dump) => {
      dump.blocks = [];
    }),
    change('all blocks but the first are missing', (dump) => void dump.blocks.splice(1)),
    change('a block is empty', (dump) => dump.setRows(some, [])),
    change('every block is empty', (dump) => {
      for (const { kind, tag } of dump.entries) if (kind === 'TABLE DATA') dump.setRows(String(tag), []);
    }),
    change('the first row is missing', (dump) => rows(dump, some, (all) => all.slice(1))),
    change('the last row is missing', (dump) => rows(dump, some, (all) => all.slice(0, -1))),
    change('every second row is missing', (dump) => rows(dump, some, (all) => all.filter((_, at) => at % 2))),
    change('a row is doubled', (dump) => rows(dump, some, (all) => [all[0] as string, ...all])),
    change('all rows are doubled', (dump) => rows(dump, some, (all) => [...all, ...all])),
    change('an empty table has a row', (dump) => dump.setRows(empty, dump.rowsOf(some).slice(0, 1))),
    change('two rows are swapped', (dump) =>
      rows(dump, some, ([first = '', second = '', ...rest]) => [second, first, ...rest]),
    ),
    change('a value is another one', (dump) =>
      rows(dump, some, ([first = '', ...rest]) => [first.replace(/.$/, 'z'), ...rest]),
    ),
    change('two blocks are swapped', (dump) => {
      const [first, second] = [dump.blockOf(some), dump.blockOf(other)];
      [first.data, second.data] = [second.data, first.data];
    }),
    change('a block has the rows of another table', (dump) => dump.setRows(some, dump.rowsOf(other))),
    change('rows went to the next table', (dump) => {
      const moved = dump.rowsOf(some);
      dump.setRows(some, moved.slice(5));
      rows(dump, other, (all) => [...all, ...moved.slice(0, 5)]);
    }),
    change('the data of a table are missing, with their entry', (dump) => drop(dump, isDataOf(some))),
    change('a table is missing, with all its entries', (dump) => drop(dump, ({ tag }) => tag === some)),
    change('the entry that creates a table is missing', (dump) =>
      drop(dump, ({ kind, tag }) => kind === 'TABLE' && tag === some),
    ),
    change('the data of all tables are missing, with their entries', (dump) =>
      drop(dump, ({ kind }) => kind === 'TABLE DATA'),
    ),
    change('an entry says that it has no data', (dump) => {
      const entry = dump.entryOf(some);
      dump.blocks = dump.blocks.filter(({ id }) => id !== entry.id);
      declareEmpty(entry);
    }),
    change('the rows are of a table that has another name', (dump) => {
      for (const entry of dump.entries) if (entry.tag === some) entry.tag = 'renamed';
    }),
    change('the rows are of a table in another schema', (dump) => {
      for (const entry of dump.entries) if (entry.tag === some) entry.schema = 'elsewhere';
    }),
    change('the rows are SQL instead of COPY', (dump) => {
      const entry = dump.entryOf(some);
      dump.blockOf(some).data = Buffer.from(`DELETE FROM public.${some};\n`);
      entry.copy = null;
    }),
    change('nothing is left but the table of contents', (dump) => {
      dump.blocks = [];
      for (const entry of dump.entries) if (entry.has_data) declareEmpty(entry);
    }),
    change('the table of contents is empty', (dump) => {
      dump.entries = [];
      dump.blocks = [];
    }),
  ];
}
