import type { BackupFile } from '../../../core/index.ts';
import { timeOf } from '../../../core/text/time.ts';
import { formatStamp, zoneName } from '../../text/display.ts';
import type { Span } from '../../text/line.ts';
import { spinnerAt } from '../../text/symbols.ts';
import type { Snapshot } from '../types.ts';
import { ageColumn, shortVerification, sizeColumn } from './file-cells.ts';
import { listOf } from './list.ts';

const NONE: readonly BackupFile[] = [];

/** The action running on the file, else why it is not usable, else its last verification. */
function verified({ id, error, verified: result }: BackupFile, snapshot: Snapshot): Span {
  const doing = snapshot.busy.get(id);
  const { symbols, now } = snapshot;
  if (doing !== undefined) return { text: `${spinnerAt(symbols, now)} ${doing}`, tone: 'warn' };
  if (error) return { text: `${symbols.bad} ${FAULTS[error.code] ?? 'damaged'}`, tone: 'bad' };
  return shortVerification(result, snapshot);
}

/** Why a backup is not usable, in one or two words. */
const FAULTS: Readonly<Record<string, string>> = {
  WRONG_KEY: 'wrong key',
  KEY_MISSING: 'no key',
  KEY_MALFORMED: 'no key',
  CUT_OFF: 'cut off',
  STORAGE_FAILED: 'unreadable',
  STORAGE_DENIED: 'unreadable',
  NOT_BIFRACT: 'not a backup',
  RECORD_DIFFERS: 'not a backup',
  UNSUPPORTED: 'unknown format',
};

export const backupsList = listOf<BackupFile>({
  columns: [
    {
      id: 'name',
      title: 'Backup',
      width: 32,
      grow: 1,
      cell: (record) => ({ text: record.name }),
      value: (record) => record.name,
    },
    sizeColumn,
    ageColumn,
    {
      id: 'created',
      get title() {
        return `Created (${zoneName()})`;
      },
      width: 16,
      drop: 1,
      cell: (record) => ({ text: formatStamp(record.created_at), tone: 'dim' }),
      value: (record) => timeOf(record.created_at),
    },
    {
      id: 'verified',
      title: 'Verified',
      width: 12,
      cell: verified,
      value: (record) => timeOf(record.verified?.at),
    },
    {
      id: 'restored',
      title: 'Test restore',
      width: 12,
      drop: 2,
      cell: (record, snapshot) => shortVerification(record.restored, snapshot),
      value: (record) => timeOf(record.restored?.at),
    },
    {
      id: 'storage',
      title: 'Storage',
      width: 7,
      drop: 2,
      // One in the other storage stands out.
      cell: ({ storage_type, id, name }) => ({ text: storage_type, tone: id === name ? 'dim' : 'warn' }),
      value: (record) => record.storage_type,
    },
    {
      id: 'path',
      title: 'Path',
      width: 30,
      grow: 2,
      drop: 3,
      cell: (record) => ({ text: record.path, tone: 'dim' }),
      value: (record) => record.path,
    },
  ],
  records: ({ data }) => data.backups.value ?? NONE,
  id: (record) => record.id,
  sort: { column: 'age', descending: true },
});
