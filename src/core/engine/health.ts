import { asBifractError } from '../contract/errors.ts';
import { serverArchive } from '../features/coverage/coverage.ts';
import { keyId } from '../format/index.ts';
import { describeRelease } from '../policy/release.ts';
import type { InstallationShape } from '../ports/installation-shape.ts';
import type { Services } from '../ports/services.ts';
import type { Storage, StorageHealth } from '../ports/storage.ts';
import type { CallOptions } from '../ports/types.ts';
import type { Health, PartHealth } from './contract.ts';
import { leftovers } from './leftovers.ts';

/** Checks all parts in parallel. Never throws: a failed part reports its own error. */
export async function checkHealth(services: Services, options: CallOptions = {}): Promise<Health> {
  const [postgres, clickhouse, backups, archives, key, release, server_archive, left] = await Promise.all([
    part(async () => {
      const version = await (await services.catalog()).serverVersion(options);
      return `${version} ${placeOf(await services.postgresLocation())}`;
    }),
    part(async () => {
      const version = await (await services.logs()).version(options);
      return `${version} ${placeOf(await services.clickhouseLocation())}`;
    }),
    storage(() => services.backups(), options),
    // Often on its own file system.
    storage(() => services.archives(), { ...options, prefix: 'archives/' }),
    keyHealth(services),
    part(async () => describeRelease(await readShape(services, options))),
    serverArchive(services, options).catch(() => null),
    leftovers(services).catch(() => []),
  ]);
  return {
    release: postgres.ok && clickhouse.ok ? release : null,
    postgres,
    clickhouse,
    backups,
    archives,
    key,
    server_archive,
    leftovers: left,
  };
}

async function readShape(services: Services, options: CallOptions): Promise<InstallationShape> {
  const [catalog, logDatabase] = await Promise.all([services.catalog(), services.logs()]);
  const again = { ...options, again: true };
  const [records, logs] = await Promise.all([catalog.shape(again), logDatabase.shape(again)]);
  return { records, logs };
}

async function keyHealth(services: Services): Promise<Health['key']> {
  let known_ids: string[] = [];
  const health = await part(async () => {
    known_ids = (await services.keys()).map(keyId);
    return `256 bits, fingerprint ${known_ids[0]}`;
  });
  return { ...health, key_id: known_ids[0] ?? null, known_ids };
}

async function part(ask: () => Promise<string>): Promise<PartHealth> {
  try {
    return { ok: true, detail: await ask() };
  } catch (error) {
    return { ok: false, detail: errorText(error) };
  }
}

async function storage(
  open: () => Promise<Storage>,
  options: CallOptions & { prefix?: string },
): Promise<StorageHealth & { location: string }> {
  try {
    const target = await open();
    return { ...(await target.probe(options)), location: target.location };
  } catch (error) {
    return { ok: false, detail: errorText(error), location: '' };
  }
}

function errorText(error: unknown): string {
  const { message, hint } = asBifractError(error);
  return hint ? `${message}. ${hint}` : message;
}

/** A location as used in a sentence: `at localhost:5432`, `in container db (172.18.0.2:5432)`. */
function placeOf(location: string): string {
  return location.startsWith('container ') ? `in ${location}` : `at ${location}`;
}
