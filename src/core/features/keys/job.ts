import type { JobType } from '../../job/job-type.ts';
import type { Services } from '../../ports/services.ts';
import type { CallOptions } from '../../ports/types.ts';
import { formatBytes, plural } from '../../text/units.ts';
import type { RotatePlan, RotateRequest, RotateSummary } from './contract.ts';
import { planRotate } from './plan.ts';
import { recoverRotation } from './recovery.ts';
import { rotateKey } from './rotate.ts';

export const rotateKeyJob: JobType<RotateRequest, RotateSummary> = {
  title: () => 'Rotation of the encryption key',
  destroys: () => undefined,
  run: async (services, { plan }, context) => {
    const [backups, archives] = await Promise.all([services.backups(), services.archives()]);
    return rotateKey({ ...services, backups, archives }, plan, context);
  },
  summary: ({ key_id, files, size_bytes }) => [
    { label: 'Key', value: `${key_id} (new)`, tone: 'good' },
    { label: 'Re-encrypted', value: `${plural(files, 'file')}, ${formatBytes(size_bytes)}` },
    {
      label: 'Next',
      value: 'Keep a copy of .env elsewhere and restart the Bifract server to load the new key',
    },
    { label: 'Old key', value: 'in BIFRACT_BACKUP_ENCRYPTION_KEY_PREVIOUS, for copies of files elsewhere' },
  ],
  resumeHint: 'Run the same command again to continue with the files that still use the old key.',
  recover: recoverRotation,
};

/** See `KeyQueries`. */
export async function planRotateOf(services: Services, options?: CallOptions): Promise<RotatePlan> {
  const [backups, archives, keys] = await Promise.all([
    services.backups(),
    services.archives(),
    services.keys(),
  ]);
  return planRotate({ backups, archives, keys, now: services.now() }, options);
}
