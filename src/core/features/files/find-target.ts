import { posix } from 'node:path';
import { asBifractError } from '../../contract/errors.ts';
import { parseArchiveName } from '../../policy/names.ts';
import type { Catalog } from '../../ports/catalog.ts';
import type { Services } from '../../ports/services.ts';
import type { StoredObject } from '../../ports/storage.ts';
import type { CallOptions } from '../../ports/types.ts';
import { locate } from './locate.ts';
import { storagesOf } from './record-file.ts';
import { pathOf, RECORD_ID, type Target, targetOfRecord } from './target.ts';

/** Finds a target by archive record id, or by file as `locate` does, with its record. */
export async function findTarget(
  services: Services,
  label: string,
  options: CallOptions = {},
): Promise<Target> {
  if (RECORD_ID.test(label)) {
    const [record] = await (await services.catalog()).archives({ ids: [label] }, options);
    if (record) return targetOfRecord(await storagesOf(services, record), record, label, options);
  }
  const { storage, object } = await locate(services, label, options);
  return {
    label,
    storage,
    object,
    path: pathOf(storage, object.name),
    ...(await recordOf(services, object, options)),
  };
}

/** The record of an archive file. A database outage must not prevent reading a file. */
async function recordOf(
  services: Services,
  { name }: StoredObject,
  options: CallOptions,
): Promise<Pick<Target, 'record' | 'record_unknown'>> {
  const filename = posix.basename(name);
  const parsed = parseArchiveName(filename);
  if (!parsed) return { record: null, record_unknown: null };
  try {
    const catalog: Catalog = await services.catalog();
    const records = await catalog.archives({ fractal_id: parsed.fractal_id }, options);
    return { record: records.find((one) => one.filename === filename) ?? null, record_unknown: null };
  } catch (error) {
    options.signal?.throwIfAborted();
    return { record: null, record_unknown: asBifractError(error).message };
  }
}
