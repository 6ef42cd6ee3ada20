import { BifractError } from '../errors.ts';
import type { ArchiveBrowser, FileReport } from '../files.ts';
import { describe, type Key } from '../format/index.ts';
import type { CallOptions } from '../ports/types.ts';
import { SequentialReader } from './browse-front.ts';
import { IndexedReader } from './browse-index.ts';
import { show } from './show.ts';
import { sourceOf } from './source.ts';
import type { Target } from './target.ts';

/** Opens an archive for random access: by its index if it has one, else sequentially. */
export async function browse(
  target: Target,
  keys: readonly Key[],
  options: CallOptions = {},
): Promise<ArchiveBrowser> {
  const report: FileReport = await show(target, keys, options);
  if (report.kind === 'backup') {
    throw new BifractError('NOT_BIFRACT', `${report.name} is a backup; only archives contain rows`, {
      hint: 'See its content with `bifract show`.',
    });
  }
  const open = (call: CallOptions) => sourceOf(target.storage, target.object, call);
  const description = await describe(open(options), keys, options);
  return description.index === null
    ? new SequentialReader(report, open, keys)
    : new IndexedReader(report, open, keys, { ...description, index: description.index });
}
