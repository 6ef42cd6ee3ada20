import { GRIDS } from '../../policy/periods.ts';
import type { ArchiveRecord, Catalog } from '../../ports/catalog.ts';
import type { LogDatabase, PeriodCount, PeriodGrid } from '../../ports/log-database.ts';
import type { Storage, Storages } from '../../ports/storage.ts';
import type { CallOptions } from '../../ports/types.ts';
import { findFractal } from '../files/find-fractal.ts';
import { storagesOf } from '../files/record-file.ts';
import { namesOf } from '../files/target.ts';
import type { Coverage } from './contract.ts';
import { evaluateCoverage } from './evaluate.ts';
import { type ArchiveEvidence, cutPieces, evidenceOf, INGEST_DELAY_MS } from './evidence.ts';

export interface CoverageDeps {
  catalog: Catalog;
  logs: LogDatabase;
  storages: Storages;
}

/** Which rows of a fractal are protected; see `CoverageQueries`. */
export async function computeCoverage(
  deps: CoverageDeps,
  fractal_id: string,
  { unit = 'day', signal }: CallOptions & { unit?: 'hour' | 'day' } = {},
): Promise<Coverage> {
  const { name } = await findFractal(deps.catalog, fractal_id, signal);
  const grid = GRIDS[unit];
  const { evidence, counts } = await evidenceAndCounts(deps, { fractal_id, grid }, { signal });
  return { fractal_id, fractal_name: name, unit, ...evaluateCoverage(grid, evidence, counts) };
}

/** The archives of a fractal, and the matching row counts of ClickHouse. */
export async function evidenceAndCounts(
  deps: CoverageDeps,
  { fractal_id, grid }: { fractal_id: string; grid: PeriodGrid },
  options: CallOptions,
): Promise<{ evidence: ArchiveEvidence[]; counts: PeriodCount[] }> {
  const evidence = await collectEvidence(deps, fractal_id, options);
  const query = { fractal_id, grid, spans: cutPieces(evidence), doubt_ms: INGEST_DELAY_MS };
  return { evidence, counts: await deps.logs.countsByPeriod(query, options) };
}

/** The complete archives of a fractal: those whose file exists with the recorded size. */
export async function collectEvidence(
  { catalog, storages }: Pick<CoverageDeps, 'catalog' | 'storages'>,
  fractal_id: string,
  options: CallOptions = {},
): Promise<ArchiveEvidence[]> {
  const records = await catalog.archives({ fractal_id }, options);
  const files = new FileSizes(fractal_id, options);
  const evidence: ArchiveEvidence[] = [];
  for (const record of records) {
    const entry = evidenceOf(record);
    if (entry && (await files.matches(record, await storagesOf(storages, record)))) evidence.push(entry);
  }
  return evidence;
}

/** Sizes of a fractal's archive files, listed once per storage. */
class FileSizes {
  readonly #prefix: string;
  readonly #options: CallOptions;
  readonly #listed = new Map<Storage, Promise<Map<string, number>>>();

  constructor(fractal_id: string, options: CallOptions) {
    this.#prefix = `archives/${fractal_id}/`;
    this.#options = options;
  }

  async matches(record: ArchiveRecord, storages: readonly Storage[]): Promise<boolean> {
    for (const storage of storages) {
      for (const name of namesOf(record)) {
        if ((await this.#sizeOf(storage, name)) === record.size_bytes) return true;
      }
    }
    return false;
  }

  async #sizeOf(storage: Storage, name: string): Promise<number | undefined> {
    if (!name.startsWith(this.#prefix)) return (await storage.stat(name, this.#options))?.size_bytes;
    const listed = this.#listed.get(storage) ?? this.#list(storage);
    this.#listed.set(storage, listed);
    return (await listed).get(name);
  }

  async #list(storage: Storage): Promise<Map<string, number>> {
    const sizes = new Map<string, number>();
    for await (const { name, size_bytes } of storage.list(this.#prefix, this.#options)) {
      sizes.set(name, size_bytes);
    }
    return sizes;
  }
}
