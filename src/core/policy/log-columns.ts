import type { LogColumn, LogsShape } from '../ports/installation-shape.ts';

/** Columns that every archive line has members of its own for. */
export const LINE_COLUMNS: ReadonlySet<string> = new Set([
  'timestamp',
  'raw_log',
  'log_id',
  'fields',
  'fractal_id',
  'ingest_timestamp',
]);

/** Text of `fields` that the server keeps for searching; by default exactly `toString(fields)`. */
export const TEXT_OF_FIELDS = 'norm_log';

/** The other ordinary columns of a table: their values are in the member `cols` of a line, unless they are the default. */
export interface OtherColumns {
  /** Whether `norm_log` is one, with the default `toString(fields)`. */
  norm_log: boolean;
  /** All others. */
  columns: readonly LogColumn[];
}

/** Columns with values of their own: not `ALIAS`, `MATERIALIZED` or `EPHEMERAL`. */
export function ordinaryColumns({ columns }: Pick<LogsShape, 'columns'>): LogColumn[] {
  return columns.filter(({ default_kind }) => default_kind === '' || default_kind === 'DEFAULT');
}

/** Names of the paths of a JSON type that have a type of their own: every value has them. */
export function typedPaths(type: string): string[] {
  const [, list = ''] = /^JSON\((.*)\)$/s.exec(type) ?? [];
  // Commas within parentheses belong to the type of a path.
  const members =
    list.match(/(?:[^,()`']|`(?:[^`\\]|\\.)*`|'(?:[^'\\]|\\.)*'|\((?:[^()]|\([^()]*\))*\))+/g) ?? [];
  return members
    .map((member) => member.trim())
    .filter((member) => !/^(?:max_dynamic_\w+\s*=|SKIP\s)/.test(member))
    .map((member) => /^(?:`((?:[^`\\]|\\.)*)`|([^\s`]+))/.exec(member))
    .flatMap((match) => match?.[1] ?? match?.[2] ?? []);
}

export function otherColumns(shape: Pick<LogsShape, 'columns'>): OtherColumns {
  const others = ordinaryColumns(shape).filter(({ name }) => !LINE_COLUMNS.has(name));
  const isText = ({ name, default_expression }: LogColumn) =>
    name === TEXT_OF_FIELDS && default_expression === 'toString(fields)';
  return { norm_log: others.some(isText), columns: others.filter((column) => !isText(column)) };
}
