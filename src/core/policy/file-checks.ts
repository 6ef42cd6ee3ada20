import type { ArchiveRecord } from '../ports/catalog.ts';
import type { CheckKind, FileCheck } from '../ports/state.ts';
import type { Timestamp } from '../ports/types.ts';
import { archivePath } from './names.ts';

/** A file as it is now. */
export interface FileNow {
  path: string;
  size_bytes: number;
  modified_at: string;
  /** From its header; null if it has none. */
  uuid: string | null;
}

/** What a check of a file found. */
export interface CheckResult {
  at: Timestamp;
  ok: boolean;
  /** Only size, header and trailer were read. */
  quick: boolean;
  /** Fingerprint of the key that opened the file; null if none did. */
  key_id: string | null;
  message: string;
  /** Why it failed; null if it passed. */
  error: FileCheck['error'];
}

/** The last checks of a file that has not changed since. */
export interface LastChecks {
  /** Of its bytes: read in full, or a quick check if that is all or found something since. */
  verified: CheckResult | null;
  /** Test restore of its content. */
  restored: CheckResult | null;
}

/** Checks by the base name of their file. */
export type ChecksByName = ReadonlyMap<string, readonly FileCheck[]>;

export function byFileName(checks: readonly FileCheck[]): ChecksByName {
  return Map.groupBy(checks, ({ path }) => baseName(path));
}

/**
 * The last checks of a file. What was said about its bytes holds for the file with that path, size and time only; a test
 * restore, for every copy of its content.
 */
export function lastChecks(checks: ChecksByName, file: FileNow): LastChecks {
  const named = checks.get(baseName(file.path)) ?? [];
  const same = named.filter((check) => isSameFile(check, file));
  const copies = named.filter(({ uuid }) => uuid !== null && uuid === file.uuid);
  return { verified: lastVerification(same), restored: resultOf(newest([...same, ...copies], 'drill')) };
}

/** The last verification of an archive: of the file that its record names, with the size and checksum there. */
export function lastArchiveCheck(checks: ChecksByName, record: ArchiveRecord): CheckResult | null {
  const { id, fractal_id, filename, storage_path, size_bytes, checksum } = record;
  const path = archivePath(fractal_id, filename);
  const named = [...(checks.get(filename) ?? []), ...(checks.get(id) ?? [])];
  const same = named.filter((check) => {
    if (check.size_bytes === null) return [id, storage_path, path].includes(check.path);
    if (!check.path.endsWith(`/${path}`) || check.size_bytes !== size_bytes) return false;
    return (
      check.error !== null || check.checksum === null || checksum === null || check.checksum === checksum
    );
  });
  return lastVerification(same);
}

/** The last verification of a file of which only path and size are known. */
export function lastCheckOf(
  checks: ChecksByName,
  { path, size_bytes }: Pick<FileNow, 'path' | 'size_bytes'>,
): CheckResult | null {
  const named = checks.get(baseName(path)) ?? [];
  return lastVerification(named.filter((check) => check.path === path && check.size_bytes === size_bytes));
}

/** A quick check that passes proves less than a full verification, whatever that found. */
function lastVerification(checks: readonly FileCheck[]): CheckResult | null {
  const [full, quick] = [newest(checks, 'verify'), newest(checks, 'quick')];
  if (!full || !quick) return resultOf(full ?? quick);
  return resultOf(quick.error && quick.at > full.at ? quick : full);
}

function resultOf(check: FileCheck | null): CheckResult | null {
  if (!check) return null;
  const { at, kind, key_id, message, error } = check;
  return { at, ok: error === null, quick: kind === 'quick', key_id, message, error };
}

function newest(checks: readonly FileCheck[], kind: CheckKind): FileCheck | null {
  const [last = null] = checks.filter((check) => check.kind === kind).sort((a, b) => (a.at < b.at ? 1 : -1));
  return last;
}

/** Some storages tell times to the second only. */
function isSameFile({ path, size_bytes, modified_at }: FileCheck, file: FileNow): boolean {
  const second = (time: string) => Math.floor(Date.parse(time) / 1000);
  if (path !== file.path || size_bytes !== file.size_bytes || modified_at === null) return false;
  return second(modified_at) === second(file.modified_at);
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
