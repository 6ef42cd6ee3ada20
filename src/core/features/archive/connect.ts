import type { RetryOptions } from '../../job/retry.ts';
import type { Catalog } from '../../ports/catalog.ts';
import type { Key } from '../../ports/key.ts';
import type { LogDatabase } from '../../ports/log-database.ts';
import type { Services } from '../../ports/services.ts';
import type { Storage } from '../../ports/storage.ts';
import type { CoverageServices } from '../coverage/coverage.ts';

export type ArchiveServices = CoverageServices &
  Pick<Services, 'installation' | 'archive_limits' | 'state' | 'key'>;

/** The services that an archive uses, connected: it fails at its start if one is not available. */
export interface Connected {
  services: ArchiveServices;
  catalog: Catalog;
  logs: LogDatabase;
  storage: Storage;
  key: Key;
  /** For queries to ClickHouse. */
  retry: RetryOptions;
}

export async function connect(services: ArchiveServices): Promise<Connected> {
  const { max_error_time_ms, first_wait_ms } = services.archive_limits;
  return {
    services,
    catalog: await services.catalog(),
    logs: await services.logs(),
    storage: await services.archives(),
    key: await services.key(),
    retry: {
      max_ms: max_error_time_ms,
      variable: 'BIFRACT_ARCHIVE_MAX_ERROR_TIME',
      first_ms: first_wait_ms,
    },
  };
}
