import type { Coverage, CoverageQueries } from '../features/coverage/contract.ts';
import { computeCoverage } from '../features/coverage/coverage.ts';
import type { Services } from './services.ts';

/** Coverage of a fractal; see `CoverageQueries`. */
export async function queryCoverage(
  services: Services,
  ...query: Parameters<CoverageQueries['coverage']>
): Promise<Coverage> {
  const [catalog, logs] = await Promise.all([services.catalog(), services.logs()]);
  return computeCoverage({ catalog, logs, storages: services }, ...query);
}
