import {
  type ArchiveRecord,
  byFileName,
  type CheckResult,
  type ChecksByName,
  type FileCheck,
  lastArchiveCheck,
  lastCheckOf,
  type Orphan,
} from '../../core/index.ts';
import { memo } from './snapshot.ts';
import type { Snapshot } from './types.ts';

const NO_CHECKS: readonly FileCheck[] = [];

const indexed = memo(byFileName);

function checksIn({ data }: Pick<Snapshot, 'data'>): ChecksByName {
  return indexed(data.checks.value ?? NO_CHECKS);
}

/** The last verification of the file of an archive; null if there was none. */
export function archiveCheck(record: ArchiveRecord, snapshot: Pick<Snapshot, 'data'>): CheckResult | null {
  return withKnownKey(lastArchiveCheck(checksIn(snapshot), record), snapshot);
}

/** The same for a file without a record. */
export function orphanCheck(orphan: Orphan, snapshot: Pick<Snapshot, 'data'>): CheckResult | null {
  return withKnownKey(lastCheckOf(checksIn(snapshot), { ...orphan, path: orphan.id }), snapshot);
}

/** A file that was opened with a key that is gone since cannot be read any more. */
function withKnownKey(result: CheckResult | null, { data }: Pick<Snapshot, 'data'>): CheckResult | null {
  const keys = data.health.value?.key.known_ids;
  if (!result?.ok || result.key_id === null || !keys || keys.includes(result.key_id)) return result;
  const message = `It can only be opened with key ${result.key_id}, which is not in .env`;
  return { ...result, ok: false, message, error: { code: 'WRONG_KEY', message } };
}
