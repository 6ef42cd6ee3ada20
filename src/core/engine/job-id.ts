import { randomBytes } from 'node:crypto';
import { stampOf } from '../policy/names.ts';

/** Id of a new job: kind, time, random suffix. */
export function jobId(kind: string, now: Date): string {
  return `${kind}-${stampOf(now)}-${randomBytes(3).toString('hex')}`;
}
