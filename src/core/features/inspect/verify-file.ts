import { asBifractError, BifractError } from '../../contract/errors.ts';
import { type DumpContents, describeFile, type FileDescription } from '../../format/index.ts';
import type { Key } from '../../ports/key.ts';
import type { CallOptions } from '../../ports/types.ts';
import type { Target } from '../files/target.ts';
import { compareWithRecord, type Measured } from './compare-record.ts';
import { kindByName } from './content-kind.ts';
import type { VerifyItem } from './contract.ts';
import { sourceOf } from './object-source.ts';
import { readFully, type VerifiedFile } from './read-fully.ts';

const END_MARK_BYTES = 4;

interface VerifyFileOptions {
  keys: readonly Key[];
  /** Check only size, header and trailer. */
  quick: boolean;
  signal?: AbortSignal;
  onProgress?: (stored: number, rows: number) => void;
}

type Found = Omit<VerifyItem, 'target' | 'path' | 'ok' | 'error' | 'proven' | 'notes'> & {
  measured: Measured;
};

/**
 * Verifies one file and compares it with its record. Problems are reported in the item; throws only when
 * aborted.
 */
export async function verifyFile(target: Target, options: VerifyFileOptions): Promise<VerifyItem> {
  let item = blankItem(target.label, target.path, target.object.size_bytes);
  try {
    mustBeFinished(target);
    const { measured, ...found } = options.quick
      ? ofDescription(await describeEnds(target, options.keys, options), target)
      : ofContent(await readFully(target.storage, target.object, options));
    item = { ...item, ...found };
    const compared = target.record?.status === 'completed' || target.record?.status === 'restoring';
    if (target.record && compared) compareWithRecord(target.record, measured);
    const proven = !options.quick && (measured.sealed || (compared && Boolean(target.record?.checksum)));
    return { ...item, ok: true, proven, notes: notesOf(target, item, { proven, quick: options.quick }) };
  } catch (error) {
    options.signal?.throwIfAborted();
    return { ...item, error: asBifractError(error).report() };
  }
}

/** An item before anything is known about it. */
export function blankItem(target: string, path: string, size_bytes: number): VerifyItem {
  const empty = {
    kind: null,
    sealed: null,
    uuid: null,
    key_id: null,
    rows: null,
    compared_tables: null,
    content_bytes: null,
    checksum: null,
  };
  return { target, path, ...empty, ok: false, proven: false, size_bytes, notes: [] };
}

function mustBeFinished({ record }: Target): void {
  if (record?.status !== 'in_progress') return;
  throw new BifractError('BUSY', 'The archive is still being written, according to its record', {
    hint: 'Verify it when it is complete. `bifract list orphans` shows whether its job was interrupted.',
  });
}

/** Measurements of a fully read file, for comparison with its record. */
export function measuredOf(file: VerifiedFile): Measured {
  return ofContent(file).measured;
}

function ofContent({ kind, summary, lines, dump }: VerifiedFile): Found {
  const { size_bytes, checksum, content_bytes, sealed, key_id, head, end } = summary;
  const rows = lines?.rows ?? (dump && dumpedRows(dump));
  const [first, last] = [lines?.first ?? null, lines?.last ?? null];
  if (end !== null && kind === 'archive' && (end.first !== first || end.last !== last)) {
    throw new BifractError(
      'DAMAGED',
      `The rows are from ${first} to ${last}, the trailer says ${end.first} to ${end.last}`,
      { hint: 'Compare with another copy.' },
    );
  }
  const fractal_id = head?.fractal?.id ?? null;
  const measured = { size_bytes, checksum, rows, first, last, fractal_id, sealed };
  const compared_tables = dump?.tables.filter(({ crc32 }) => crc32 !== null).length ?? null;
  const uuid = head?.uuid ?? null;
  return { kind, sealed, uuid, key_id, rows, compared_tables, content_bytes, checksum, size_bytes, measured };
}

/** Rows of all tables; null if the dump does not tell. */
function dumpedRows({ tables }: DumpContents): number | null {
  return tables.reduce<number | null>(
    (sum, { rows }) => (sum === null || rows === null ? null : sum + rows),
    0,
  );
}

/**
 * Checks size, header and trailer in a few small reads; without them, that the first chunk decrypts and the
 * file ends with an end marker. Errors of `describeFile`; `CUT_OFF` without the end marker.
 */
async function describeEnds(
  { storage, object }: Target,
  keys: readonly Key[],
  options: CallOptions,
): Promise<FileDescription> {
  const source = sourceOf(storage, object, options);
  const description = await describeFile(source, keys, options);
  const end = description.trailer_offset ?? object.size_bytes;
  const mark = await source.read(end - END_MARK_BYTES, END_MARK_BYTES);
  if (mark.length === END_MARK_BYTES && mark.every((byte) => byte === 0)) return description;
  throw new BifractError('CUT_OFF', 'The file is cut off: end marker missing', {
    hint: 'Verify it without --quick to find where it ends, and use another copy.',
  });
}

function ofDescription(description: FileDescription, { object }: Target): Found {
  const { size_bytes, sealed, key_id, head, end } = description;
  const measured = measuredEnds(description);
  return {
    kind: head?.kind ?? kindByName(object.name) ?? null,
    sealed,
    uuid: head?.uuid ?? null,
    key_id,
    rows: measured.rows,
    compared_tables: null,
    content_bytes: end?.bytes ?? null,
    checksum: null,
    size_bytes,
    measured,
  };
}

/** What header and trailer say, for comparison with the record. */
export function measuredEnds({ size_bytes, sealed, head, end }: FileDescription): Measured {
  return {
    size_bytes,
    checksum: null,
    rows: head?.kind === 'archive' ? (end?.rows ?? null) : null,
    first: end?.first ?? null,
    last: end?.last ?? null,
    fractal_id: head?.fractal?.id ?? null,
    sealed,
  };
}

function notesOf(
  { record, record_unknown }: Target,
  { kind, sealed }: VerifyItem,
  { proven, quick }: { proven: boolean; quick: boolean },
): string[] {
  const notes: string[] = [];
  if (record_unknown !== null) notes.push(`Cannot look up the record: ${record_unknown}.`);
  if (record?.status === 'failed') {
    notes.push('The record is marked as failed; `bifract adopt` corrects it if the file is intact.');
  }
  if (kind === 'archive' && record === null && record_unknown === null) {
    notes.push('No record; add one with `bifract adopt`.');
  }
  if (quick) notes.push('Quick check: only size, header and trailer were read.');
  else if (!sealed) notes.push(unsealedNote(proven));
  return notes;
}

function unsealedNote(proven: boolean): string {
  return proven
    ? 'No header and trailer; complete according to checksum and count of its record.'
    : 'No header and trailer: missing data at the end cannot be ruled out without a record with checksum and count.';
}
