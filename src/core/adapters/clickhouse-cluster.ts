import type { Query } from './clickhouse-query.ts';

/**
 * How statements are written: for one server, or for a cluster whose shards each hold a part of the logs. On a cluster a
 * table of ours is made on every node, and each connection may lead to another of them.
 */
export interface Forms {
  /** The table that the logs are read from, and on a cluster written to, for it knows which shard a row belongs to. */
  logs: string;
  /** All rows of a table of ours, wherever they are. */
  all(table: string): string;
  /** A table of the system as all nodes have it. */
  nodes(table: string): string;
  /** After the table's name in a statement that makes or changes tables. */
  on: string;
  /** Before `IN` and `NOT IN` of a query: it is run once, not on each shard over its own part. */
  global: string;
  /** The cluster; undefined for one server. */
  cluster: string | undefined;
}

/** For one server. */
export const ALONE: Forms = {
  logs: 'logs',
  all: (table) => table,
  nodes: (table) => table,
  on: '',
  global: '',
  cluster: undefined,
};

/** For what the settings say. */
export function formsOf(cluster: string | undefined): Forms {
  if (cluster === undefined) return ALONE;
  return {
    logs: 'logs_distributed',
    all: (table) => `clusterAllReplicas(${text(cluster)}, currentDatabase(), ${text(table)})`,
    nodes: (table) => `clusterAllReplicas(${text(cluster)}, ${table})`,
    on: ` ON CLUSTER ${name(cluster)}`,
    global: 'GLOBAL ',
    cluster,
  };
}

/** Rows of a distributed insert are on their shards when it returns, and each goes where the table says. */
export const TO_SHARDS = { distributed_foreground_insert: 1, parallel_distributed_insert_select: 0 } as const;

/** Statements of any node that still work with a table of ours, but for the one that asks. */
export function workingQuery(table: string, { nodes }: Forms): Query {
  return {
    sql: `SELECT count() AS rows FROM ${nodes('system.processes')}
      WHERE initial_query_id != initialQueryID() AND position(query, {table:String}) > 0 FORMAT JSONEachRow`,
    params: { table },
  };
}

/** Waits until all replicas of each shard hold what was written to one of them. */
export function syncQuery({ on }: Forms): Query {
  return { sql: `SYSTEM SYNC REPLICA${on} logs`, params: {} };
}

function name(identifier: string): string {
  return `\`${identifier.replace(/[\\`]/g, '\\$&')}\``;
}

function text(value: string): string {
  return `'${value.replace(/[\\']/g, '\\$&')}'`;
}
