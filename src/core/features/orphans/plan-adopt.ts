import { posix } from 'node:path';
import { asBifractError } from '../../contract/errors.ts';
import { describeFile, type FileDescription } from '../../format/index.ts';
import { archivePath, isArchivePath, parseArchiveName, parsePeriodLabel } from '../../policy/names.ts';
import type { ArchiveRecord, Catalog, Fractal } from '../../ports/catalog.ts';
import type { Key } from '../../ports/key.ts';
import type { Services } from '../../ports/services.ts';
import type { Storage, StoredObject } from '../../ports/storage.ts';
import type { CallOptions } from '../../ports/types.ts';
import { ARCHIVES_PREFIX, byName, isArchive } from '../files/archive-files.ts';
import { sourceOf } from '../inspect/object-source.ts';
import { readHead } from '../inspect/read-head.ts';
import type { AdoptItem, AdoptPlan } from './contract.ts';

interface PlanAdoptOptions extends CallOptions {
  create_fractals?: boolean;
}

interface Known {
  fractals: Fractal[];
  /** Whether a record needs no fractal. */
  without_fractal: boolean;
  /** Records by possible file name. */
  records: Map<string, ArchiveRecord>;
}

/**
 * Plans records for archive files without one, or for the given files. Reads header and trailer of each file;
 * a file is verified only when it is adopted.
 */
export async function planAdopt(
  services: Pick<Services, 'catalog' | 'archives' | 'keys'>,
  files?: readonly string[],
  options: PlanAdoptOptions = {},
): Promise<AdoptPlan> {
  const [catalog, storage, keys] = await Promise.all([
    services.catalog(),
    services.archives(),
    services.keys(),
  ]);
  const objects: StoredObject[] = [];
  for await (const object of files ? named(storage, files, options) : storage.list(ARCHIVES_PREFIX, options))
    objects.push(object);
  // Read the records after listing the files: a job adds the record before the file appears.
  const known = await gather(catalog, options);
  const items: AdoptItem[] = [];
  for (const object of objects) {
    const record = known.records.get(object.name);
    if (files === undefined && (!isArchive(object.name) || (record && record.status !== 'failed'))) continue;
    // A listing may have the wrong size, or a file that no longer exists.
    const current = files ? object : await storage.stat(object.name, options);
    if (current) items.push(await planOne(storage, current, keys, known, options));
  }
  return { items };
}

async function* named(
  storage: Storage,
  files: readonly string[],
  options: CallOptions,
): AsyncGenerator<StoredObject> {
  for (const file of files) {
    const name = await storedName(storage, file, options);
    yield (await storage.stat(name, options)) ?? { name, size_bytes: 0, modified_at: '' };
  }
}

/** The name in storage of what a user calls a file: the name itself, or a path that ends in the file's name. */
async function storedName(storage: Storage, file: string, options?: CallOptions): Promise<string> {
  const filename = posix.basename(file);
  const parsed = parseArchiveName(filename);
  const usual = parsed && archivePath(parsed.fractal_id, filename);
  if (usual === undefined || (!file.startsWith('/') && (await storage.stat(file, options)))) return file;
  return (await storage.stat(usual, options)) ? usual : file;
}

async function gather(catalog: Catalog, options: CallOptions): Promise<Known> {
  const [fractals, records, shape] = await Promise.all([
    catalog.fractals(options),
    catalog.archives({}, options),
    catalog.shape(options),
  ]);
  return { fractals, records: byName(records), without_fractal: shape.archives === 'console' };
}

async function planOne(
  storage: Storage,
  object: StoredObject,
  keys: readonly Key[],
  known: Known,
  options: PlanAdoptOptions,
): Promise<AdoptItem> {
  const blank = blankItem(object);
  if (object.modified_at === '') return skip(blank, `File not found in ${storage.location}.`);
  const record = known.records.get(object.name);
  if (record && record.status !== 'failed') return skip(blank, `Already has a record: ${record.id}.`);
  try {
    const source = sourceOf(storage, object, options);
    const description = await describeFile(source, keys, options);
    const item = description.sealed
      ? ofSealed(blank, description)
      : await ofUnsealed(blank, () => readHead(source, keys, 'archive', options));
    return decide({ ...item, archive_id: record?.id ?? null }, known, options);
  } catch (error) {
    options.signal?.throwIfAborted();
    const { message, hint } = asBifractError(error);
    return skip(blank, [`${message}.`, hint].filter(Boolean).join(' '));
  }
}

function blankItem({ name, size_bytes, modified_at }: StoredObject): AdoptItem {
  const named = parseArchiveName(posix.basename(name));
  return {
    path: name,
    size_bytes,
    fractal: named ? { id: named.fractal_id, name: null } : null,
    fractal_known: false,
    create_fractal: false,
    archive_id: null,
    rows: null,
    first: null,
    last: null,
    ...parsePeriodLabel(named?.label),
    created_at: named?.created_at.toISOString() ?? modified_at,
    action: 'adopt',
    reason: '',
  };
}

function ofSealed(item: AdoptItem, { head, end }: FileDescription): AdoptItem {
  if (head?.kind !== 'archive') return skip(item, 'This is a backup, not an archive.');
  const own = head.fractal?.id;
  if (own !== undefined && item.path !== archivePath(own, posix.basename(item.path)))
    return skip(item, `It is an archive of fractal ${own}, whose files are in archives/${own}.`);
  return {
    ...item,
    fractal: head.fractal ?? item.fractal,
    rows: end?.rows ?? null,
    first: end?.first ?? null,
    last: end?.last ?? null,
    period: head.period ?? item.period,
    split: head.split ?? item.split,
    created_at: head.created,
  };
}

async function ofUnsealed(item: AdoptItem, read: () => ReturnType<typeof readHead>): Promise<AdoptItem> {
  const { first } = await read();
  const id = first?.fid || item.fractal?.id;
  return { ...item, fractal: id ? { id, name: null } : null, first: first?.ts ?? null };
}

function decide(item: AdoptItem, known: Known, { create_fractals = false }: PlanAdoptOptions): AdoptItem {
  const { fractal } = item;
  const { fractals } = known;
  if (item.action === 'skip') return item;
  if (item.rows === 0) return skip(item, 'The file has no rows.');
  if (!isArchivePath(item.path)) return skip(item, 'Its name is not that of an archive of its fractal.');
  if (fractal === null) return skip(item, 'Neither name nor content identifies the fractal.');
  const existing = fractals.find(({ id }) => id === fractal.id);
  if (existing) {
    const found = { ...item, fractal: { id: existing.id, name: existing.name }, fractal_known: true };
    const reason = item.archive_id ? 'Its failed record will be corrected.' : 'No record.';
    return { ...found, reason };
  }
  const missing = decideWithoutFractal(item, { ...fractal, fractals, create_fractals });
  if (missing.action === 'adopt' || !known.without_fractal) return missing;
  const name = fractal.name === null ? fractal.id : `"${fractal.name}"`;
  return { ...item, reason: `Its fractal ${name} no longer exists; restore the file into another one.` };
}

function decideWithoutFractal(
  item: AdoptItem,
  {
    id,
    name,
    fractals,
    create_fractals,
  }: { id: string; name: string | null; fractals: readonly Fractal[]; create_fractals: boolean },
): AdoptItem {
  const named = fractals.find((one) => one.name === name);
  if (named) {
    const other = `a fractal with that name has another ID (${named.id})`;
    return skip(item, `Fractal "${name}" (${id}) no longer exists, and ${other}.`);
  }
  if (name === null)
    return skip(item, `Fractal ${id} does not exist, and the file does not contain its name.`);
  if (create_fractals) {
    const reason = `Its fractal "${name}" will be recreated with the same ID.`;
    return { ...item, create_fractal: true, reason };
  }
  return skip(item, `Fractal ${id} ("${name}") does not exist: recreate it (--create-fractals).`);
}

function skip(item: AdoptItem, reason: string): AdoptItem {
  return { ...item, action: 'skip', reason };
}
