import { type OtherColumns, TEXT_OF_FIELDS } from '../../policy/log-columns.ts';
import type { LogColumn } from '../../ports/installation-shape.ts';

/** A default that can be written into a statement again: a plain string or a number. */
const LITERAL = /^(?:'[^'\\]*'|-?\d+(?:\.\d+)?)$/;
/** Types that cannot be `Nullable`, or not simply. */
const NEVER_NULL = /^(?:Array|Map|Tuple|Nested|JSON|Object|Variant|Dynamic|Nullable|AggregateFunction)\b/;
const LOW_CARDINALITY = /^LowCardinality\((.*)\)$/;

/**
 * The members of `cols` for the columns other than `norm_log`, as JSON text with a comma after each; empty if all
 * columns have their defaults.
 */
export function membersExpression({ columns }: OtherColumns): string | undefined {
  const members = columns.map((column) => {
    const member = `concat(${quoteString(`${JSON.stringify(column.name)}:`)}, toJSONString(${quoteName(column.name)}), ',')`;
    const standard = isDefault(column);
    return standard === undefined ? member : `if(${standard}, '', ${member})`;
  });
  if (members.length === 0) return undefined;
  return members.length === 1 ? members[0] : `concat(${members.join(', ')})`;
}

/**
 * All of them as a named tuple, which ClickHouse writes as a JSON object: null, which is not written, for a value that
 * is the default.
 */
export function tupleExpression({ norm_log, columns }: OtherColumns): string | undefined {
  const values = columns.map((column) => {
    const standard = isDefault(column);
    const name = quoteName(column.name);
    if (standard === undefined || NEVER_NULL.test(column.type))
      return { column, value: name, type: column.type };
    const [, inner = column.type] = LOW_CARDINALITY.exec(column.type) ?? [];
    return { column, value: `if(${standard}, NULL, ${name})`, type: `Nullable(${inner})` };
  });
  if (norm_log) {
    const column = { name: TEXT_OF_FIELDS };
    // These queries do not escape slashes, as the server does when it makes the text.
    const value = `if(${TEXT_OF_FIELDS} = replaceAll(toString(fields), '/', '\\\\/'), NULL, ${TEXT_OF_FIELDS})`;
    values.unshift({ column: column as LogColumn, value, type: 'Nullable(String)' });
  }
  if (values.length === 0) return undefined;
  const types = values.map(({ column, type }) => `${quoteName(column.name)} ${type}`).join(', ');
  return `CAST(tuple(${values.map(({ value }) => value).join(', ')}), ${quoteString(`Tuple(${types})`)})`;
}

/** Condition for the default of a column; undefined if the default is an expression. */
function isDefault({ name, default_kind, default_expression }: LogColumn): string | undefined {
  if (default_kind === '') return `${quoteName(name)} = defaultValueOfArgumentType(${quoteName(name)})`;
  return LITERAL.test(default_expression) ? `${quoteName(name)} = ${default_expression}` : undefined;
}

export function quoteName(name: string): string {
  return `\`${name.replace(/[\\`]/g, '\\$&')}\``;
}

export function quoteString(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}

/** Type of a member of `cols` in the input: null for a column that a line has no value for, if the type allows it. */
export function inputType({ type }: LogColumn): string {
  if (NEVER_NULL.test(type)) return type;
  const [, inner = type] = LOW_CARDINALITY.exec(type) ?? [];
  return `Nullable(${inner})`;
}

/** The value of a column from the input: that of the line, else what the server would compute for a missing one. */
export function inputValue(column: LogColumn): string {
  const given = `tupleElement(cols, ${quoteString(column.name)})`;
  // Computes the default only where it is needed, unlike `ifNull`.
  return NEVER_NULL.test(column.type)
    ? given
    : `if(isNull(${given}), ${defaultOf(column)}, assumeNotNull(${given}))`;
}

/** As the server computes it in an insert: an expression of the other columns, from the server's own table. */
function defaultOf({ type, default_expression }: LogColumn): string {
  return default_expression === ''
    ? `defaultValueOfTypeName(${quoteString(type)})`
    : `(${default_expression})`;
}
