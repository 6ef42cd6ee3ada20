import type { BackupFile } from '../../../core/index.ts';
import { timeOf } from '../../../core/text/time.ts';
import { formatStamp, zoneName } from '../../text/display.ts';
import type { Span } from '../../text/line.ts';
import { spinnerAt } from '../../text/symbols.ts';
import type { Snapshot } from '../types.ts';
import { ageColumn, shortVerification, sizeColumn, verificationOf } from './file-cells.ts';
import { listOf } from './list.ts';

const NONE: readonly BackupFile[] = [];

/** The action running on the file, else its last verification. */
function verified({ name }: BackupFile, snapshot: Snapshot): Span {
  const doing = snapshot.busy.get(name);
  if (doing === undefined) return shortVerification(verificationOf(snapshot.verifications, name), snapshot);
  return { text: `${spinnerAt(snapshot.symbols, snapshot.now)} ${doing}`, tone: 'warn' };
}

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
      width: 10,
      cell: verified,
      value: () => undefined,
    },
    {
      id: 'storage',
      title: 'Storage',
      width: 7,
      drop: 2,
      cell: (record) => ({ text: record.storage_type, tone: 'dim' }),
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
  id: (record) => record.name,
  search: (record) => `${record.name} ${record.path}`,
  sort: { column: 'age', descending: true },
});
