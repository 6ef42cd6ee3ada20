import { posix } from 'node:path';
import { asBifractError } from '../../contract/errors.ts';
import type { JobType } from '../../job/job-type.ts';
import { archivePath, parseArchiveName } from '../../policy/names.ts';
import type { ArchiveRecord } from '../../ports/catalog.ts';
import type { Services } from '../../ports/services.ts';
import type { Storage } from '../../ports/storage.ts';
import type { CallOptions } from '../../ports/types.ts';
import { countOf } from '../../text/rows.ts';
import { plural } from '../../text/units.ts';
import { storagesOf } from '../files/record-file.ts';
import { targetOfRecord } from '../files/target.ts';
import { adopt } from './adopt.ts';
import { clean } from './clean.ts';
import type {
  AdoptPlan,
  AdoptRequest,
  AdoptSummary,
  CleanRequest,
  CleanSummary,
  Orphan,
} from './contract.ts';
import { orphans } from './find.ts';
import { planAdopt } from './plan-adopt.ts';

export const adoptJob: JobType<AdoptRequest, AdoptSummary> = {
  title: ({ plan }) =>
    `Adoption of ${countOf(
      plan.items.filter(({ action }) => action === 'adopt').map(({ path }) => posix.basename(path)),
      'file',
    )}`,
  destroys: () => undefined,
  run: async (services, { plan }, context) => {
    const [catalog, storage, keys] = await Promise.all([
      services.catalog(),
      services.archives(),
      services.keys(),
    ]);
    return adopt({ catalog, storage, keys }, plan, context);
  },
  summary: ({ adopted, fractals_created }) => [
    { label: 'Adopted', value: plural(adopted.length, 'file'), tone: 'good' },
    {
      label: 'Rows',
      value: plural(
        adopted.reduce((sum, { log_count }) => sum + log_count, 0),
        'row',
      ),
    },
    ...(fractals_created.length > 0
      ? [{ label: 'Created', value: plural(fractals_created.length, 'fractal') }]
      : []),
  ],
  cancelEffect: 'Records created so far are kept.',
};

export const cleanJob: JobType<CleanRequest, CleanSummary> = {
  title: ({ orphans: list }) =>
    `Clean-up of ${countOf(
      list.map(({ title }) => title),
      'orphan',
    )}`,
  destroys: ({ orphans: list }) =>
    list.map(({ kind, path, id }) => (kind === 'record' ? `record ${id}, ${path}` : path)),
  run: async (services, { orphans: list }, context) => clean(await orphanDeps(services), list, context),
  summary: () => [],
  cancelEffect: 'What has been cleaned up so far stays cleaned up.',
};

/** See `OrphanQueries`. */
export async function planAdoptOf(
  services: Services,
  files?: string[],
  options?: CallOptions & { create_fractals?: boolean },
): Promise<AdoptPlan> {
  const keys = await services.keys();
  const storage = await services.archives();
  const names = files && (await Promise.all(files.map((file) => storedName(storage, file, options))));
  return planAdopt({ catalog: await services.catalog(), storage, keys }, names, options);
}

/** See `OrphanQueries`. */
export async function findOrphans(services: Services, options?: CallOptions): Promise<Orphan[]> {
  return orphans(await orphanDeps(services), options);
}

async function orphanDeps(services: Services) {
  return {
    catalog: await services.catalog(),
    archives: await services.archives(),
    backups: await services.backups(),
    holds: async (record: ArchiveRecord, options?: CallOptions) => holds(services, record, options),
    state: services.state,
    max_duration_ms: services.archive_limits.max_duration_ms,
    now: () => services.now(),
  };
}

/** Whether the file of a record is there; so it is, for all that can be known, where its storage is not set up. */
async function holds(services: Services, record: ArchiveRecord, options?: CallOptions): Promise<boolean> {
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

/** The name in storage of what a user calls a file: the name itself, or a path that ends in the file's name. */
async function storedName(storage: Storage, file: string, options?: CallOptions): Promise<string> {
  const filename = posix.basename(file);
  const parsed = parseArchiveName(filename);
  const usual = parsed && archivePath(parsed.fractal_id, filename);
  if (usual === undefined || (!file.startsWith('/') && (await storage.stat(file, options)))) return file;
  return (await storage.stat(usual, options)) ? usual : file;
}
