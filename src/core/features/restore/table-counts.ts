import { BifractError } from '../../contract/errors.ts';
import type { TableCount } from '../../ports/database.ts';
import type { DatabaseServer } from '../../ports/database-server.ts';
import type { CallOptions } from '../../ports/types.ts';
import type { RestoreTable } from './contract.ts';

/** How many differences an error names. */
const NAMED = 5;

type TableName = Pick<TableCount, 'schema' | 'name'>;

/** All tables of a database, counted in one snapshot. */
export async function countTables(
  server: DatabaseServer,
  database: string,
  options: CallOptions,
): Promise<TableCount[]> {
  const snapshot = await server.open(database).snapshot(options);
  try {
    return await snapshot.tables(options);
  } finally {
    await snapshot.close();
  }
}

/** All tables of the backup (with counts, or from the dump without) and of the database, by name. */
export function mergeTables(
  counted: readonly TableCount[] | undefined,
  listed: readonly TableName[],
  now: readonly TableCount[],
): RestoreTable[] {
  const tables = new Map<string, RestoreTable>();
  for (const { schema, name, rows } of counted ?? listed.map((table) => ({ ...table, rows: null }))) {
    tables.set(keyOf({ schema, name }), { schema, name, rows_backup: rows, rows_now: null, where: 'backup' });
  }
  for (const { schema, name, rows } of now) {
    const found = tables.get(keyOf({ schema, name }));
    const rows_backup = found?.rows_backup ?? null;
    const where = found ? 'both' : 'database';
    tables.set(keyOf({ schema, name }), { schema, name, rows_backup, rows_now: rows, where });
  }
  return [...tables.values()].sort((a, b) => compare(a.schema, b.schema) || compare(a.name, b.name));
}

/**
 * Compares the counts of a restored database with the plan. `COUNT_DIFFERS` names the differences. Returns
 * false if the plan has no counts.
 */
export function compareCounts(planned: readonly RestoreTable[], restored: readonly TableCount[]): boolean {
  const counted = planned.filter(({ rows_backup }) => rows_backup !== null);
  const expected = new Map(counted.map((table) => [keyOf(table), table.rows_backup]));
  if (expected.size === 0 && planned.some(({ where }) => where !== 'database')) return false;
  const differences: string[] = [];
  const actual = new Map(restored.map((table) => [keyOf(table), table.rows]));
  for (const table of counted) {
    const rows = actual.get(keyOf(table));
    if (rows === undefined) differences.push(`${table.schema}.${table.name} is missing`);
    else if (rows !== table.rows_backup)
      differences.push(`${table.schema}.${table.name} has ${rows} rows instead of ${table.rows_backup}`);
  }
  for (const table of restored)
    if (!expected.has(keyOf(table))) differences.push(`${table.schema}.${table.name} is not in the backup`);
  if (differences.length === 0) return true;
  const more = differences.length > NAMED ? `, and ${differences.length - NAMED} more` : '';
  throw new BifractError(
    'COUNT_DIFFERS',
    `The restored database differs from the manifest: ${differences.slice(0, NAMED).join(', ')}${more}`,
    { hint: 'It was dropped; nothing was replaced.' },
  );
}

function keyOf({ schema, name }: TableName): string {
  return JSON.stringify([schema, name]);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
