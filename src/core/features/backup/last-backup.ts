import { BifractError } from '../../contract/errors.ts';
import type { Key } from '../../ports/key.ts';
import type { Services } from '../../ports/services.ts';
import type { Storage, Storages } from '../../ports/storage.ts';
import type { CallOptions } from '../../ports/types.ts';
import { otherStorage } from '../files/record-file.ts';
import { type Located, pathOf } from '../files/target.ts';
import { isIntegrityError, unreadable } from '../files/unreadable.ts';
import { readFully } from '../inspect/read-fully.ts';
import { byAge, type KnownBackup, knownBackup, knownBackups } from './known-backups.ts';

export type BackupServices = Pick<Services, keyof Storages | 'keys' | 'now'>;

interface GuardOptions extends CallOptions {
  /** The user agreed to delete even the last readable backup. */
  last_backup?: boolean;
  /** Whether the job will delete that one too: others are preferred as the one that stays. */
  isDoomed?(file: Located): boolean;
}

/**
 * Decides, right before a backup is deleted or moved away, that a good one stays. All jobs that delete backups ask it,
 * under the installation lock.
 */
export class LastBackupGuard {
  readonly #services: BackupServices;
  readonly #options: GuardOptions;
  /** A backup that was read in full, and stays. */
  #good: Located | undefined;

  constructor(services: BackupServices, options: GuardOptions) {
    this.#services = services;
    this.#options = options;
  }

  /** Names a backup that was just read in full: it need not be read again as long as it does not change. */
  proven(good: Located): void {
    this.#good = good;
  }

  /**
   * Returns what is known of a backup that may be deleted. `LAST_BACKUP` if no other good backup would be left,
   * `RECORD_DIFFERS` if it is none, `STORAGE_…` if it cannot be read.
   */
  async mustNotBeLast(file: Located): Promise<KnownBackup> {
    const known = await this.#describe(file);
    const refusal = refusalOfBackup(known);
    if (refusal) throw refusal;
    if (this.#options.last_backup || (await this.#goodStays(file))) return known;
    const others = await this.#others(file);
    const good = await this.#firstGood(others);
    if (good) this.#good = good;
    else if (others.length === 0 || (await this.#isGood(known))) throw lastBackup(file.object.name);
    return known;
  }

  async #describe(file: Located): Promise<KnownBackup> {
    const reader = { keys: await this.#services.keys(), now: this.#services.now() };
    return knownBackup(file, reader, this.#options);
  }

  async #goodStays(file: Located): Promise<boolean> {
    if (!this.#good || isSameFile(this.#good, file)) return false;
    const { storage, object } = this.#good;
    const now = await storage.stat(object.name, this.#options);
    return now?.size_bytes === object.size_bytes && now.modified_at === object.modified_at;
  }

  /** All other backups of the installation, those first that the job does not delete too, then the newest. */
  async #others(file: Located): Promise<KnownBackup[]> {
    const { isDoomed = () => false } = this.#options;
    const all = await allBackups(this.#services, this.#options);
    return all
      .filter((one) => !isSameFile(one, file))
      .sort((a, b) => Number(isDoomed(a)) - Number(isDoomed(b)) || byAge(a, b));
  }

  async #firstGood(backups: readonly KnownBackup[]): Promise<Located | undefined> {
    for (const one of backups) if (await this.#isGood(one)) return one;
    return undefined;
  }

  async #isGood(backup: KnownBackup): Promise<boolean> {
    return isGood(backup, await this.#services.keys(), this.#options);
  }
}

/**
 * Why a file may not be deleted as a backup at all. A user who names a damaged one, or one with an unknown key, knows
 * that it is not needed.
 */
export function refusalOfBackup({ error }: KnownBackup): BifractError | undefined {
  if (!error || (isIntegrityError(error) && error.code !== 'RECORD_DIFFERS')) return undefined;
  return error;
}

/** Whether a backup can be read to its last byte, which proves that it is complete. */
export async function isGood(
  { storage, object, error }: KnownBackup,
  keys: readonly Key[],
  { signal }: CallOptions,
): Promise<boolean> {
  // Header and trailer alone reveal an unreadable file much sooner.
  if (error) return false;
  try {
    await readFully(storage, object, { keys, signal });
    return true;
  } catch (thrown) {
    unreadable(thrown, signal);
    return false;
  }
}

/** The backups of both storages, newest first. */
export async function allBackups(services: BackupServices, options: CallOptions): Promise<KnownBackup[]> {
  const reader = { keys: await services.keys(), now: services.now() };
  const all: KnownBackup[] = [];
  for (const storage of await backupStorages(services))
    all.push(...(await knownBackups(storage, reader, options)));
  return all.sort(byAge);
}

/** The installation's own storage of backups, then the other one if there is one. */
export async function backupStorages(storages: Storages): Promise<Storage[]> {
  const other = await otherStorage(storages, 'backups');
  return [await storages.backups(), ...(other ? [other] : [])];
}

export function lastBackup(name: string): BifractError {
  return new BifractError('LAST_BACKUP', `${name} is the last readable backup`, {
    hint: `Make another backup first. To delete this one anyway, run "bifract delete backup --last-backup ${name}".`,
  });
}

function isSameFile(one: Located, other: Located): boolean {
  return pathOf(one.storage, one.object.name) === pathOf(other.storage, other.object.name);
}
