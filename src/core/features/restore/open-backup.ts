import { BifractError } from '../../contract/errors.ts';
import {
  type BackupManifest,
  type ContentSummary,
  checkDump,
  type DumpContents,
  readContent,
  splitBackup,
} from '../../format/index.ts';
import type { Key } from '../../ports/key.ts';
import type { Services } from '../../ports/services.ts';
import type { CallOptions } from '../../ports/types.ts';
import { type FileServices, locate } from '../files/find-target.ts';
import { type Located, pathOf } from '../files/target.ts';
import { kindOf } from '../inspect/content-kind.ts';
import type { RestorePlan } from './contract.ts';

/** A backup in storage. */
export interface BackupSource extends Located {
  keys: readonly Key[];
}

/** A backup being read. */
export interface OpenBackup {
  manifest: BackupManifest;
  /** Read it once to the end: only then is it verified. */
  dump: AsyncIterable<Buffer>;
  /** Stored bytes read, and content bytes returned. */
  progress(): { bytes_in: number; bytes_out: number };
  summary(): ContentSummary;
  /** Ends the reading early. */
  close(): Promise<void>;
}

/** The very file of the plan: in backup storage, else at its path. */
export async function plannedBackup(
  services: FileServices & Pick<Services, 'keys'>,
  { file }: RestorePlan,
  options: CallOptions,
): Promise<BackupSource> {
  const keys = await services.keys();
  const storage = await services.backups();
  if (file.path !== pathOf(storage, file.name))
    return { ...(await locate(services, file.path, options)), keys };
  const object = await storage.stat(file.name, options);
  if (object) return { storage, object, keys };
  throw new BifractError('NOT_FOUND', `${file.path} is gone`, { hint: 'Plan it again.' });
}

/**
 * Opens a backup for reading. `NOT_BIFRACT` for an archive; else errors of `readContent`, also while reading.
 */
export async function openBackup(
  { storage, object, keys }: BackupSource,
  { signal, onChecked }: CallOptions & { onChecked?: (contents: DumpContents) => void },
): Promise<OpenBackup> {
  const content = readContent(storage.stream(object.name, { signal }), { keys, signal });
  const { kind, pieces } = await kindOf(content, object.name);
  if (kind === 'archive') {
    throw new BifractError('NOT_BIFRACT', `${object.name} is an archive of logs, not a backup`, {
      hint: 'Use `bifract restore-archive` to restore its rows.',
    });
  }
  const { manifest, dump } = await splitBackup(pieces);
  return {
    manifest,
    dump: checkDump(dump, manifest.bifract_console, { onChecked }),
    progress: () => content.progress(),
    summary: () => content.summary(),
    close: async () => void (await pieces[Symbol.asyncIterator]().return?.()),
  };
}
