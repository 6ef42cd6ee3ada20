import type { DumpContents } from '../../../ports/database-server.ts';

const PROPERTY = /^;\s+([^:]+): (.*)$/;
const ENTRY = /^\d+; \d+ \d+ (.*)$/;
/**
 * pg_restore separates names by single spaces and does not quote them, so a space in the name of a schema is ambiguous.
 * This list is for display; comparisons use the manifest.
 */
const TABLE_DATA = /^TABLE DATA (\S+) (.+) \S+$/;

/** Parses the output of `pg_restore --list`. */
export function parseContents(list: string): DumpContents {
  const contents: DumpContents = {
    server_version: null,
    pg_dump_version: null,
    database: null,
    tables: [],
    owner_lines: [],
  };
  for (const line of list.split('\n')) {
    const [, name, value = ''] = PROPERTY.exec(line) ?? [];
    if (name === 'dbname') contents.database = value;
    if (name === 'Dumped from database version') contents.server_version = version(value);
    if (name === 'Dumped by pg_dump version') contents.pg_dump_version = version(value);
    const entry = ENTRY.exec(line)?.[1];
    if (entry === undefined) continue;
    const [, schema, table] = TABLE_DATA.exec(entry) ?? [];
    if (schema !== undefined && table !== undefined) contents.tables.push({ schema, name: table });
    if (!entry.endsWith(' ')) contents.owner_lines.push(entry);
  }
  return contents;
}

function version(text: string): string | null {
  return text.split(' ')[0] || null;
}
