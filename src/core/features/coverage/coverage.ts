import { GRIDS } from '../../policy/periods.ts';
import { describeServerArchive, type ServerArchiveStatus } from '../../policy/server-archive.ts';
import type { PeriodCount, PeriodGrid } from '../../ports/log-database.ts';
import type { Services } from '../../ports/services.ts';
import type { CallOptions } from '../../ports/types.ts';
import { findFractal } from '../files/find-fractal.ts';
import type { Coverage, CoverageQuery } from './contract.ts';
import { evaluateCoverage } from './evaluate.ts';
import {
  type ArchiveEvidence,
  collectEvidence,
  cutPieces,
  type EvidenceServices,
  INGEST_DELAY_MS,
} from './evidence.ts';

export type CoverageServices = EvidenceServices & Pick<Services, 'logs'>;

/** Which rows of a fractal are protected; see `CoverageQueries`. */
export async function coverage(
  services: CoverageServices & Pick<Services, 'now'>,
  fractal_id: string,
  { unit = 'day', signal }: CoverageQuery = {},
): Promise<Coverage> {
  const { name } = await findFractal(await services.catalog(), fractal_id, signal);
  const grid = GRIDS[unit];
  const [{ evidence, counts }, server_archive] = await Promise.all([
    evidenceAndCounts(services, { fractal_id, grid }, { signal }),
    serverArchive(services, { signal }),
  ]);
  const evaluated = evaluateCoverage(grid, evidence, counts);
  return { fractal_id, fractal_name: name, unit, ...evaluated, server_archive };
}

/** The server's own archive as it is now; null if there is none. */
export async function serverArchive(
  services: Pick<Services, 'catalog' | 'now'>,
  options: CallOptions,
): Promise<ServerArchiveStatus | null> {
  const status = await (await services.catalog()).serverArchive(options);
  return status && describeServerArchive(status, services.now());
}

/** The archives of a fractal, and the matching row counts of ClickHouse. */
export async function evidenceAndCounts(
  services: CoverageServices,
  { fractal_id, grid }: { fractal_id: string; grid: PeriodGrid },
  options: CallOptions,
): Promise<{ evidence: ArchiveEvidence[]; counts: PeriodCount[] }> {
  const logs = await services.logs();
  const evidence = await collectEvidence(services, fractal_id, options);
  const query = { fractal_id, grid, spans: cutPieces(evidence), doubt_ms: INGEST_DELAY_MS };
  return { evidence, counts: await logs.countsByPeriod(query, options) };
}
