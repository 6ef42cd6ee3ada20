import type { Coverage, CoverageQueries } from './coverage.ts';
import { coverage } from './jobs/coverage.ts';
import type { Services } from './services.ts';

/** Coverage on an installation's services; see `CoverageQueries`. */
export async function serveCoverage(
  services: Services,
  ...query: Parameters<CoverageQueries['coverage']>
): Promise<Coverage> {
  const [catalog, logs] = await Promise.all([services.catalog(), services.logs()]);
  return coverage({ catalog, logs, storages: services }, ...query);
}
