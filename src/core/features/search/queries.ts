import type { Services } from '../../ports/services.ts';
import type { CallOptions } from '../../ports/types.ts';
import { findTarget } from '../files/find-target.ts';
import type { ArchiveBrowser, SearchHit, SearchQuery } from './contract.ts';
import { browse } from './open.ts';
import { search } from './search.ts';

/** See `SearchQueries`. */
export async function* searchArchives(
  services: Services,
  { targets, ...query }: SearchQuery,
  options?: CallOptions,
): AsyncGenerator<SearchHit> {
  const keys = await services.keys();
  const refs = targets.map((label) => ({
    label,
    find: (call?: CallOptions) => findTarget(services, label, call),
  }));
  yield* search({ targets: refs, keys }, query, options);
}

/** See `SearchQueries`. */
export async function browseArchive(
  services: Services,
  target: string,
  options?: CallOptions,
): Promise<ArchiveBrowser> {
  const keys = await services.keys();
  return browse(await findTarget(services, target, options), keys, options);
}
