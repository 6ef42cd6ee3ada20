import { asBifractError, BifractError } from '../errors.ts';
import type { VerifyItem } from '../files.ts';
import type { FileDescription, Key } from '../format/index.ts';
import { compareWithRecord, type Measured } from './compare-record.ts';
import { kindByName } from './content-kind.ts';
import { readWhole, type WholeFile } from './read-whole.ts';
import type { Target } from './target.ts';
import { describeEnds } from './verify-quick.ts';

export interface VerifyFileOptions {
  keys: readonly Key[];
  /** Size, ends and trailer only. */
  quick: boolean;
  signal?: AbortSignal;
  onProgress?: (stored: number, rows: number) => void;
}

type Found = Omit<VerifyItem, 'target' | 'path' | 'ok' | 'error' | 'proven' | 'notes'> & {
  measured: Measured;
};

/** Verifies one file against itself and its record. What is wrong is in the item; throws only when aborted. */
export async function verifyFile(target: Target, options: VerifyFileOptions): Promise<VerifyItem> {
  let item = untold(target.label, target.path, target.object.size_bytes);
  try {
    mustBeFinished(target);
    const { measured, ...found } = options.quick
      ? ofDescription(await describeEnds(target, options.keys, options), target)
      : ofContent(await readWhole(target.storage, target.object, options));
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

/** An item of which nothing is known yet. */
export function untold(target: string, path: string, size_bytes: number): VerifyItem {
  const nothing = { kind: null, sealed: null, rows: null, content_bytes: null, checksum: null };
  return { target, path, ...nothing, ok: false, proven: false, size_bytes, notes: [] };
}

function mustBeFinished({ record }: Target): void {
  if (record?.status !== 'in_progress') return;
  throw new BifractError('BUSY', 'The archive is still being written, as its record says', {
    hint: 'Verify it when it is completed. `bifract list orphans` tells whether the job that writes it is dead.',
  });
}

/** What a file that was read to its end is, to be compared with its record. */
export function measuredOf(file: WholeFile): Measured {
  return ofContent(file).measured;
}

function ofContent({ kind, summary, lines }: WholeFile): Found {
  const { size_bytes, checksum, content_bytes, sealed, head, end } = summary;
  const rows = lines?.rows ?? null;
  const [first, last] = [lines?.first ?? null, lines?.last ?? null];
  if (end !== null && kind === 'archive' && (end.first !== first || end.last !== last)) {
    throw new BifractError(
      'DAMAGED',
      `Its rows are of ${first} to ${last}, its end says ${end.first} to ${end.last}`,
      { hint: 'Compare with another copy.' },
    );
  }
  const fractal_id = head?.fractal?.id ?? null;
  const measured = { size_bytes, checksum, rows, first, last, fractal_id, sealed };
  return { kind, sealed, rows, content_bytes, checksum, size_bytes, measured };
}

function ofDescription({ size_bytes, sealed, head, end }: FileDescription, { object }: Target): Found {
  const kind = head?.kind ?? kindByName(object.name) ?? null;
  const rows = end !== null && kind === 'archive' ? end.rows : null;
  const times = { first: end?.first ?? null, last: end?.last ?? null };
  const measured = {
    size_bytes,
    checksum: null,
    rows,
    ...times,
    fractal_id: head?.fractal?.id ?? null,
    sealed,
  };
  return { kind, sealed, rows, content_bytes: end?.bytes ?? null, checksum: null, size_bytes, measured };
}

function notesOf(
  { record, record_unknown }: Target,
  { kind, sealed }: VerifyItem,
  { proven, quick }: { proven: boolean; quick: boolean },
): string[] {
  const notes: string[] = [];
  if (record_unknown !== null) notes.push(`Its record could not be looked up: ${record_unknown}.`);
  if (record?.status === 'failed') {
    notes.push('Its record says that it failed; `bifract adopt` sets the record of a sound file right.');
  }
  if (kind === 'archive' && record === null && record_unknown === null) {
    notes.push('It has no record; `bifract adopt` makes one.');
  }
  if (quick) notes.push('Only size, ends and trailer were looked at, not what lies between.');
  else if (!sealed) notes.push(unsealedNote(proven));
  return notes;
}

function unsealedNote(proven: boolean): string {
  return proven
    ? 'The file has no sealed ends; it is proven whole by the checksum and the count of its record, which agree.'
    : 'The file has no sealed ends: only the checksum and the count of a record could prove that nothing is missing at its end.';
}
