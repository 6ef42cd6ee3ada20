import type { Services } from '../../ports/services.ts';
import type { Coverage, CoverageQueries } from './contract.ts';
import { computeCoverage } from './coverage.ts';

/** See `CoverageQueries`. */
export async function queryCoverage(
  services: Services,
  ...query: Parameters<CoverageQueries['coverage']>
): Promise<Coverage> {
  const [catalog, logs] = await Promise.all([services.catalog(), services.logs()]);
  return computeCoverage({ catalog, logs, storages: services }, ...query);
}
