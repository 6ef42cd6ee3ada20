import { ArrayColumn, NullableColumn } from './arrays.ts';
import type { Column } from './column.ts';
import { readDynamic } from './dynamic.ts';
import { readJson } from './json-column.ts';
import { type Reader, unsupported } from './reader.ts';
import { scalarColumn } from './scalars.ts';

const MAX_DEPTH = 32;
const JSON_TYPE = /^JSON(?:\((?:max_dynamic_(?:paths|types)=\d+(?:, )?)+\))?$/;

/**
 * Creates the column of a type after reading its prefix (paths and nested types). Throws `DecodeError` (`unsupported`) for
 * every type whose encoding or text is not known for certain.
 */
export function readColumn(type: string, reader: Reader, depth = 0): Column {
  if (depth > MAX_DEPTH) throw unsupported('types nested too deep');
  const [, outer, inner = ''] = /^(Array|Nullable)\((.*)\)$/.exec(type) ?? [];
  if (outer === 'Array') return new ArrayColumn(readColumn(inner, reader, depth + 1));
  if (outer === 'Nullable') return new NullableColumn(readScalarOrJson(inner, reader, depth + 1));
  if (type === 'Dynamic') return readDynamic(reader, depth);
  return readScalarOrJson(type, reader, depth);
}

/** A type allowed inside `Nullable`. */
function readScalarOrJson(type: string, reader: Reader, depth: number): Column {
  const scalar = scalarColumn(type);
  if (scalar) return scalar;
  if (JSON_TYPE.test(type)) return readJson(reader, depth);
  throw unsupported(`type ${type.slice(0, 100)}`);
}
