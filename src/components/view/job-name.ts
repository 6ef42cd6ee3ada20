import type { ArchiveRecord } from '../../core/index.ts';
import { formatStamp } from '../../core/text/time.ts';

const BACKUP = /bifract-backup-(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)\d\d\.bifract-backup/g;
const FOLDERS = /\S+\/(?=\S+\.bifract-archive)/g;
const RECORD_ID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?!\S*\.bifract-archive)/g;

/** A job title with readable file names instead of ids and paths. */
export function readableTitle(title: string, archives: readonly ArchiveRecord[]): string {
  const named = title.replace(BACKUP, 'backup of $1-$2-$3 $4:$5').replace(FOLDERS, '');
  return named.replace(RECORD_ID, (id) => {
    const record = archives.find((one) => one.id === id);
    return record ? `${record.fractal_name}, ${formatStamp(record.created_at)}` : id;
  });
}
