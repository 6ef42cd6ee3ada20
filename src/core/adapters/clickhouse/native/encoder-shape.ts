import { LINE_COLUMNS, ordinaryColumns, otherColumns, TEXT_OF_FIELDS } from '../../../policy/log-columns.ts';
import type { LogsShape } from '../../../ports/installation-shape.ts';
import { inputType } from '../columns.ts';
import type { FieldsShape } from './fields-column.ts';
import type { EncoderColumn, EncoderShape } from './line-encoder.ts';

/** ClickHouse's own limits, which the types of objects in arrays are derived from. */
const STANDARD = { paths: 1024, types: 32 };
/** More than the encoder has kinds of values: with fewer, some would be stored in another way. */
const MIN_TYPES = 12;
const LIMIT = /^max_dynamic_(paths|types)=(\d+)$/;
const TYPED_TEXT = /^([A-Za-z_][\w.]*) String$/;
/** Bytes of a value by type; undefined: text. */
const SIZES: Record<string, number | undefined> = {
  String: undefined,
  ...{ Bool: 1, Int8: 1, UInt8: 1, Int16: 2, UInt16: 2, Int32: 4, UInt32: 4, Int64: 8, UInt64: 8 },
  ...{ Float32: 4, Float64: 8, Date: 2, DateTime: 4, 'DateTime64(3)': 8, UUID: 16 },
};

/** What the encoder must know of a table; undefined if it has a type whose values are not known in every detail. */
export function encoderShape(shape: LogsShape): EncoderShape | undefined {
  const columns = ordinaryColumns(shape);
  const type = columns.find(({ name }) => name === 'fields')?.type ?? '';
  const fields = fieldsShape(type);
  const others = columns.filter(({ name }) => !LINE_COLUMNS.has(name));
  // How typed paths within objects are written is left to the server.
  const flat = fields?.typed.every((path) => !path.includes('.')) ?? false;
  const isText = (name: string) => flat && otherColumns(shape).norm_log && name === TEXT_OF_FIELDS;
  const cols = others.map((column) => encoderColumn(column.name, inputType(column), isText(column.name)));
  if (!fields || cols.includes(undefined)) return undefined;
  return { fields: { ...fields, type }, cols: cols as EncoderColumn[] };
}

function encoderColumn(name: string, type: string, text_of_fields: boolean): EncoderColumn | undefined {
  const [, inner = ''] = /^Nullable\((.*)\)$/.exec(type) ?? [];
  return Object.hasOwn(SIZES, inner) ? { name, type, size: SIZES[inner], text_of_fields } : undefined;
}

function fieldsShape(type: string): FieldsShape | undefined {
  const [json, parameters = ''] = /^JSON(?:\((.*)\))?$/s.exec(type) ?? [];
  if (json === undefined) return undefined;
  const limits = { ...STANDARD };
  const typed: string[] = [];
  for (const parameter of parameters === '' ? [] : parameters.split(/, (?![^(]*\))/)) {
    const [, limit, value] = LIMIT.exec(parameter) ?? [];
    const [, name] = TYPED_TEXT.exec(parameter) ?? [];
    if (limit !== undefined) limits[limit as keyof typeof limits] = Number(value);
    else if (name !== undefined) typed.push(name);
    else return undefined;
  }
  if (limits.types < MIN_TYPES) return undefined;
  const nests = limits.paths === STANDARD.paths && limits.types === STANDARD.types;
  return { typed: typed.sort(), max_paths: limits.paths, nests };
}
