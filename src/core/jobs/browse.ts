import { BifractError } from '../errors.ts';
import type { ArchiveBrowser, FileReport } from '../files.ts';
import { describe, type Key } from '../format/index.ts';
import type { CallOptions } from '../ports/types.ts';
import { FrontBrowser } from './browse-front.ts';
import { IndexBrowser } from './browse-index.ts';
import { show } from './show.ts';
import { sourceOf } from './source.ts';
import type { Target } from './target.ts';

/** Opens an archive for reading at any row: by its index where it has one, else from the front. */
export async function browse(
  target: Target,
  keys: readonly Key[],
  options: CallOptions = {},
): Promise<ArchiveBrowser> {
  const report: FileReport = await show(target, keys, options);
  if (report.kind === 'backup') {
    throw new BifractError('NOT_BIFRACT', `${report.name} is a backup; only archives hold rows`, {
      hint: '`bifract show` tells what it holds.',
    });
  }
  const open = (call: CallOptions) => sourceOf(target.storage, target.object, call);
  const description = await describe(open(options), keys, options);
  return description.index === null
    ? new FrontBrowser(report, open, keys)
    : new IndexBrowser(report, open, keys, { ...description, index: description.index });
}
