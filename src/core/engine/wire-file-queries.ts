import { posix } from 'node:path';
import { asBifractError } from '../contract/errors.ts';
import type {
  AdoptPlan,
  ArchiveBrowser,
  FileQueries,
  FileReport,
  Orphan,
  SearchHit,
  SearchQuery,
} from '../contract/files.ts';
import { storagesOf } from '../features/files/record-file.ts';
import { targetOfRecord } from '../features/files/target.ts';
import { show } from '../features/inspect/show.ts';
import { orphans } from '../features/orphans/find.ts';
import { planAdopt } from '../features/orphans/plan-adopt.ts';
import { browse } from '../features/search/open.ts';
import { search } from '../features/search/search.ts';
import { archivePath, parseArchiveName } from '../policy/names.ts';
import type { ArchiveRecord } from '../ports/catalog.ts';
import type { Storage } from '../ports/storage.ts';
import type { CallOptions } from '../ports/types.ts';
import { findTarget } from './find-target.ts';
import type { Services } from './services.ts';

/** File queries on an installation's services. */
export class FileQueryService implements FileQueries {
  readonly #services: Services;

  constructor(services: Services) {
    this.#services = services;
  }

  async show(target: string, options?: CallOptions): Promise<FileReport> {
    const keys = await this.#services.keys();
    return show(await findTarget(this.#services, target, options), keys, options);
  }

  async *search({ targets, ...query }: SearchQuery, options?: CallOptions): AsyncGenerator<SearchHit> {
    const keys = await this.#services.keys();
    const refs = targets.map((label) => ({
      label,
      find: (call?: CallOptions) => findTarget(this.#services, label, call),
    }));
    yield* search({ targets: refs, keys }, query, options);
  }

  async browse(target: string, options?: CallOptions): Promise<ArchiveBrowser> {
    const keys = await this.#services.keys();
    return browse(await findTarget(this.#services, target, options), keys, options);
  }

  async planAdopt(
    files?: string[],
    options?: CallOptions & { create_fractals?: boolean },
  ): Promise<AdoptPlan> {
    const keys = await this.#services.keys();
    const storage = await this.#services.archives();
    const names = files && (await Promise.all(files.map((file) => storedName(storage, file, options))));
    return planAdopt({ catalog: await this.#services.catalog(), storage, keys }, names, options);
  }

  async orphans(options?: CallOptions): Promise<Orphan[]> {
    return orphans(await orphanDeps(this.#services), options);
  }
}

export async function orphanDeps(services: Services) {
  return {
    catalog: await services.catalog(),
    archives: await services.archives(),
    backups: await services.backups(),
    fileExists: async (record: ArchiveRecord, options?: CallOptions) => fileExists(services, record, options),
    state: services.state,
    max_duration_ms: services.archive_limits.max_duration_ms,
    now: () => services.now(),
  };
}

/** Whether the file of a record exists; assumed true if its storage is not configured. */
async function fileExists(
  services: Services,
  record: ArchiveRecord,
  options?: CallOptions,
): Promise<boolean> {
  const storages = await storagesOf(services, record);
  if (!storages.some(({ kind }) => kind === record.storage_type)) return true;
  return targetOfRecord(storages, record, record.id, options).then(
    () => true,
    (error: unknown) => {
      if (asBifractError(error).code === 'NOT_FOUND') return false;
      throw error;
    },
  );
}

/** The storage name of a file given as a name or as a path that ends in the name. */
async function storedName(storage: Storage, file: string, options?: CallOptions): Promise<string> {
  const filename = posix.basename(file);
  const parsed = parseArchiveName(filename);
  const default_path = parsed && archivePath(parsed.fractal_id, filename);
  if (default_path === undefined || (!file.startsWith('/') && (await storage.stat(file, options))))
    return file;
  return (await storage.stat(default_path, options)) ? default_path : file;
}
