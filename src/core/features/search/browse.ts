import { BifractError } from '../../contract/errors.ts';
import { describeFile } from '../../format/index.ts';
import type { Key } from '../../ports/key.ts';
import type { Services } from '../../ports/services.ts';
import type { CallOptions } from '../../ports/types.ts';
import { type FileServices, findTarget } from '../files/find-target.ts';
import type { Target } from '../files/target.ts';
import { sourceOf } from '../inspect/object-source.ts';
import { describeTarget } from '../inspect/show.ts';
import type { ArchiveBrowser } from './contract.ts';
import { IndexedReader } from './indexed-reader.ts';
import { SequentialReader } from './sequential-reader.ts';

/** Opens an archive for random access; see `SearchQueries.browse`. */
export async function browse(
  services: FileServices & Pick<Services, 'catalog' | 'keys'>,
  label: string,
  options: CallOptions = {},
): Promise<ArchiveBrowser> {
  const keys = await services.keys();
  return openArchive(await findTarget(services, label, options), keys, options);
}

/** By its index if it has one, else sequentially. */
export async function openArchive(
  target: Target,
  keys: readonly Key[],
  options: CallOptions = {},
): Promise<ArchiveBrowser> {
  const report = await describeTarget(target, keys, options);
  if (report.kind === 'backup') {
    throw new BifractError('NOT_BIFRACT', `${report.name} is a backup; only archives contain rows`, {
      hint: 'See its content with `bifract show`.',
    });
  }
  const open = (call: CallOptions) => sourceOf(target.storage, target.object, call);
  const description = await describeFile(open(options), keys, options);
  return description.index === null
    ? new SequentialReader(report, open, keys)
    : new IndexedReader(report, open, keys, { ...description, index: description.index });
}
