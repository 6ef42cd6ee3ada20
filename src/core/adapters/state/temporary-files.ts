import { createHash, randomBytes } from 'node:crypto';
import type { OpenFolder } from '../files/open-folder.ts';
import { identityOf, type ProcessIdentity } from './process-identity.ts';

/** With the process that created the file. */
const TEMPORARY = /^\.[\w.-]+\.(\d+)\.([0-9a-f]{12})\.[0-9a-f]{12}$/;

/** A new hidden name for a file that only this process needs. */
export function temporaryName(prefix: string, process: ProcessIdentity): string {
  return `.${prefix}.${process.pid}.${fingerprint(process)}.${randomBytes(6).toString('hex')}`;
}

/** Removes the temporary files of processes that have ended. */
export async function removeAbandoned(folder: OpenFolder): Promise<void> {
  for (const entry of await folder.entries()) {
    const [, pid, hash] = TEMPORARY.exec(entry.name) ?? [];
    if (pid === undefined || !entry.isFile()) continue;
    const creator = await identityOf(Number(pid));
    if (!creator || fingerprint(creator) !== hash) await folder.unlink(entry.name);
  }
}

/** Distinguishes processes with the same PID in a file name. */
function fingerprint({ start, boot }: ProcessIdentity): string {
  return createHash('sha256').update(`${start} ${boot}`).digest('hex').slice(0, 12);
}
