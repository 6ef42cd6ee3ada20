import type { Query } from './queries.ts';

/**
 * How to write statements: for a single server, or for a cluster whose shards each hold part of the logs. On a cluster,
 * staging tables exist on every node, and each connection may reach a different node.
 */
export interface Dialect {
  /** Table to read the logs from. On a cluster also the table to insert into: it routes each row to its shard. */
  logs: string;
  /** Table expression for the rows of a staging table on all nodes. */
  allShards(table: string): string;
  /** Table expression for a system table of all nodes. */
  allNodes(table: string): string;
  /** `ON CLUSTER` clause for DDL statements; follows the table name. */
  onCluster: string;
  /** Prefix of `IN` and `NOT IN`: runs the subquery once, not on each shard over its own rows. */
  global: string;
  /** Name of the cluster; undefined for a single server. */
  cluster: string | undefined;
  /** Whether rows are added to the logs by inserts, because no partition can be attached. */
  inserts: boolean;
  /** Settings of every statement. */
  settings: Readonly<Record<string, string | number>>;
}

export const SINGLE_SERVER: Dialect = {
  logs: 'logs',
  allShards: (table) => table,
  allNodes: (table) => table,
  onCluster: '',
  global: '',
  cluster: undefined,
  inserts: false,
  settings: {},
};

/**
 * ClickHouse Cloud: each statement may reach another node, and all share the data. Tables are on every node without `ON
 * CLUSTER`, and a partition can only be attached from a table of the same engine.
 */
export const CLOUD: Dialect = {
  ...SINGLE_SERVER,
  allNodes: (table) => `clusterAllReplicas('default', ${table})`,
  inserts: true,
  // A node may not know yet what another one has inserted.
  settings: { select_sequential_consistency: 1 },
};

/** The dialect for a cluster or the cloud, or for a single server. */
export function dialectOf({ cluster, cloud }: { cluster: string | undefined; cloud?: true }): Dialect {
  if (cloud) return CLOUD;
  if (cluster === undefined) return SINGLE_SERVER;
  return {
    logs: 'logs_distributed',
    allShards: (table) =>
      `clusterAllReplicas(${quoteString(cluster)}, currentDatabase(), ${quoteString(table)})`,
    allNodes: (table) => `clusterAllReplicas(${quoteString(cluster)}, ${table})`,
    onCluster: ` ON CLUSTER ${quoteIdentifier(cluster)}`,
    global: 'GLOBAL ',
    cluster,
    inserts: true,
    settings: {},
  };
}

/** Makes a distributed insert return only once every row is on the shard that the table assigns to it. */
export const DISTRIBUTED_INSERT = {
  distributed_foreground_insert: 1,
  parallel_distributed_insert_select: 0,
} as const;

/** Replicated tables ignore a block that they got before, even if its rows were deleted since. */
export const INSERT_ALL = { insert_deduplicate: 0, max_partitions_per_insert_block: 0 } as const;

/** Counts the statements on any node that still use a staging table, except this one. */
export function activeStatementsQuery(table: string, { allNodes }: Dialect): Query {
  return {
    sql: `SELECT count() AS rows FROM ${allNodes('system.processes')}
      WHERE initial_query_id != initialQueryID() AND position(query, {table:String}) > 0 FORMAT JSONEachRow`,
    params: { table },
  };
}

/** Waits until all replicas of each shard are in sync. */
export function syncQuery({ onCluster }: Dialect): Query {
  return { sql: `SYSTEM SYNC REPLICA${onCluster} logs`, params: {} };
}

function quoteIdentifier(identifier: string): string {
  return `\`${identifier.replace(/[\\`]/g, '\\$&')}\``;
}

function quoteString(value: string): string {
  return `'${value.replace(/[\\']/g, '\\$&')}'`;
}
