import type { Coverage } from '../coverage.ts';
import { ARRIVAL_MS, type Claim, claimOf, cutPieces } from '../policy/claims.ts';
import { judgeCoverage } from '../policy/coverage.ts';
import { GRIDS } from '../policy/periods.ts';
import type { ArchiveRecord, Catalog } from '../ports/catalog.ts';
import type { LogDatabase, PeriodCount, PeriodGrid } from '../ports/log-database.ts';
import type { Storage, Storages } from '../ports/storage.ts';
import type { CallOptions } from '../ports/types.ts';
import { findFractal } from './find-fractal.ts';
import { storagesOf } from './record-file.ts';
import { namesOf } from './target.ts';

export interface CoverageDeps {
  catalog: Catalog;
  logs: LogDatabase;
  storages: Storages;
}

/** Who holds the rows of a fractal; see `CoverageQueries`. */
export async function coverage(
  deps: CoverageDeps,
  fractal_id: string,
  { unit = 'day', signal }: CallOptions & { unit?: 'hour' | 'day' } = {},
): Promise<Coverage> {
  const { name } = await findFractal(deps.catalog, fractal_id, signal);
  const grid = GRIDS[unit];
  const { claims, counts } = await claimsAndCounts(deps, { fractal_id, grid }, { signal });
  return { fractal_id, fractal_name: name, unit, ...judgeCoverage(grid, claims, counts) };
}

/** What archives of a fractal prove, and what ClickHouse counts beside it. */
export async function claimsAndCounts(
  deps: CoverageDeps,
  { fractal_id, grid }: { fractal_id: string; grid: PeriodGrid },
  options: CallOptions,
): Promise<{ claims: Claim[]; counts: PeriodCount[] }> {
  const claims = await claimsOf(deps, fractal_id, options);
  const query = { fractal_id, grid, pieces: cutPieces(claims), doubt_ms: ARRIVAL_MS };
  return { claims, counts: await deps.logs.countsByPeriod(query, options) };
}

/** What the whole archives of a fractal prove: those whose file is there, as long as its record says. */
export async function claimsOf(
  { catalog, storages }: Pick<CoverageDeps, 'catalog' | 'storages'>,
  fractal_id: string,
  options: CallOptions = {},
): Promise<Claim[]> {
  const records = await catalog.archives({ fractal_id }, options);
  const files = new Files(fractal_id, options);
  const claims: Claim[] = [];
  for (const record of records) {
    const claim = claimOf(record);
    if (claim && (await files.has(record, await storagesOf(storages, record)))) claims.push(claim);
  }
  return claims;
}

/** Files of a fractal's archives, listed once a storage. */
class Files {
  readonly #prefix: string;
  readonly #options: CallOptions;
  readonly #listed = new Map<Storage, Promise<Map<string, number>>>();

  constructor(fractal_id: string, options: CallOptions) {
    this.#prefix = `archives/${fractal_id}/`;
    this.#options = options;
  }

  async has(record: ArchiveRecord, storages: readonly Storage[]): Promise<boolean> {
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
