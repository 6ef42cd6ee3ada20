import type { JobType } from '../../job/job-type.ts';
import { formatBytes, plural } from '../../text/units.ts';
import type { RotateRequest, RotateSummary } from './contract.ts';
import { recoverRotation } from './recovery.ts';
import { rotateKey } from './rotate.ts';

export const rotateKeyJob: JobType<RotateRequest, RotateSummary> = {
  title: () => 'Rotation of the encryption key',
  destroys: () => undefined,
  locks: true,
  changesRecords: true,
  run: rotateKey,
  summary: ({ key_id, files, skipped = 0, size_bytes }) => [
    { label: 'Key', value: `${key_id} (new)`, tone: 'good' },
    { label: 'Re-encrypted', value: `${plural(files, 'file')}, ${formatBytes(size_bytes)}` },
    ...(skipped > 0
      ? [
          {
            label: 'Skipped',
            value: `${plural(skipped, 'file')} that no known key opens or that cannot be read`,
          },
        ]
      : []),
    {
      label: 'Next',
      value: 'Keep a copy of .env elsewhere and restart the Bifract server to load the new key',
    },
    { label: 'Old key', value: 'in BIFRACT_BACKUP_ENCRYPTION_KEY_PREVIOUS, for copies of files elsewhere' },
  ],
  resumeHint: 'Run the same command again to continue with the files that still use the old key.',
  cancelEffect: 'Files re-encrypted so far keep the new key; the same command continues with the others.',
  cancelledHint:
    'Files re-encrypted so far keep the new key. Run the same command again to continue with the others.',
  recover: recoverRotation,
  // A file that has lost its name is in no plan: it would stay under the old key.
  needsCleaned: (_, { rekey = [] }) => rekey.length > 0,
};
