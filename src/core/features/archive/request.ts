import { parseInstant } from '../../policy/instant.ts';
import { GRANULARITIES, type Granularity } from '../../policy/periods.ts';
import type { ArchiveJobRequest } from './contract.ts';

const MAX_TEXT = 1_000;

/** Checks a request that was stored. Undefined if anything in it is not as this version writes it. */
export function readRequest(stored: object): ArchiveJobRequest | undefined {
  const { kind, fractal_id, fractal_name, fields, split, from, to, fresh, ...others } = stored as Record<
    string,
    unknown
  >;
  if (kind !== 'archive' || !isText(fractal_id)) return undefined;
  // Whoever leaves out what it does not know archives something else.
  if (Object.keys(others).length > 0) return undefined;
  if (!optional(fractal_name, isText) || !optional(split, isGranularity)) return undefined;
  if (!optional(from, isTime) || !optional(to, isTime)) return undefined;
  if (!optional(fields, isFlag) || !optional(fresh, isFlag)) return undefined;
  return { kind, fractal_id, fractal_name, fields, split, from, to, fresh };
}

function optional<T>(value: unknown, is: (value: unknown) => value is T): value is T | undefined {
  return value === undefined || is(value);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= MAX_TEXT;
}

function isFlag(value: unknown): value is boolean {
  return typeof value === 'boolean';
}

function isGranularity(value: unknown): value is Granularity {
  return GRANULARITIES.includes(value as Granularity);
}

function isTime(value: unknown): value is string {
  return typeof value === 'string' && parseInstant(value) !== undefined;
}
