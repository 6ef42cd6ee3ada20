import { ArrayColumn, NullableColumn } from './arrays.ts';
import type { Column } from './column.ts';
import { readDynamic } from './dynamic.ts';
import { readJson } from './json-column.ts';
import { type Reader, unknown } from './reader.ts';
import { scalarColumn } from './scalars.ts';

const MAX_DEPTH = 32;
const JSON_TYPE = /^JSON(?:\((?:max_dynamic_(?:paths|types)=\d+(?:, )?)+\))?$/;

/**
 * The column of a type, once what stands before its values has been read: names of paths and types inside it. Throws
 * `NotRead` as `unknown` for every type whose bytes and text are not known for certain.
 */
export function readColumn(type: string, reader: Reader, depth = 0): Column {
  if (depth > MAX_DEPTH) throw unknown('types that are nested very deep');
  const [, outer, inner = ''] = /^(Array|Nullable)\((.*)\)$/.exec(type) ?? [];
  if (outer === 'Array') return new ArrayColumn(readColumn(inner, reader, depth + 1));
  if (outer === 'Nullable') return new NullableColumn(readPlain(inner, reader, depth + 1));
  if (type === 'Dynamic') return readDynamic(reader, depth);
  return readPlain(type, reader, depth);
}

/** Of a type whose values can be null where it is told so. */
function readPlain(type: string, reader: Reader, depth: number): Column {
  const scalar = scalarColumn(type);
  if (scalar) return scalar;
  if (JSON_TYPE.test(type)) return readJson(reader, depth);
  throw unknown(`the type ${type.slice(0, 100)}`);
}
