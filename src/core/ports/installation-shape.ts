/** A column of the table `logs`. */
export interface LogColumn {
  name: string;
  type: string;
  /** Whether and how the server computes it: `''`, `DEFAULT`, `MATERIALIZED`, `ALIAS` or `EPHEMERAL`. */
  default_kind: string;
  default_expression: string;
}

/** A materialized view that reads `logs`, and the table it writes to. */
export interface LogView {
  name: string;
  /** Empty if the view stores its rows itself. */
  target: string;
}

/** Shape of the log database: what the release of the server has created in ClickHouse. */
export interface LogsShape {
  /** In the order of the table. */
  columns: readonly LogColumn[];
  partition_key: string;
  sorting_key: string;
  primary_key: string;
  storage_policy: string;
  /** `MergeTree`, `ReplicatedMergeTree`, … */
  engine: string;
  /** Table that has the original log lines: `none` if the server does not keep them. */
  raw_from: 'logs' | 'logs_raw' | 'none';
  views: readonly LogView[];
}

/** Shape of the server's records: what its release has created in PostgreSQL. */
export interface RecordsShape {
  /** Who keeps the records of archives: the server (until June 2026), or this program. */
  archives: 'server' | 'console';
  /** Columns of `fractals`. */
  fractal_columns: ReadonlySet<string>;
  /** Whether the server has archives of its own, in Apache Iceberg. */
  iceberg: boolean;
  /** Version of this program's own tables; null if they do not exist. */
  console_version: number | null;
}

/** What an installation consists of. Detected, never configured: version numbers are not reliable. */
export interface InstallationShape {
  records: RecordsShape;
  logs: LogsShape;
}
