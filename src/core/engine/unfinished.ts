import { asBifractError, BifractError } from '../contract/errors.ts';
import { belongsTo } from '../features/files/in-use.ts';
import { allStorages } from '../features/files/record-file.ts';
import { isBifractName } from '../policy/names.ts';
import type { Services } from '../ports/services.ts';
import type { JobRecord } from '../ports/state.ts';
import type { Storage, UnfinishedObject } from '../ports/storage.ts';
import type { CallOptions } from '../ports/types.ts';

/** Unfinished objects of interrupted jobs. Each storage is listed at most once, and only if a job wrote something. */
export class UnfinishedObjects {
  readonly #services: Services;
  /** Objects from which an interrupted job can be resumed. */
  readonly #reused: ReadonlySet<string>;
  readonly #listings = new Map<Storage, Promise<UnfinishedObject[]>>();

  constructor(services: Services, resumable: ReadonlySet<JobRecord>) {
    this.#services = services;
    this.#reused = new Set([...resumable].flatMap(({ archive }) => archive?.leftovers ?? []));
  }

  /** Removes those of one job, also if another storage fails; throws the first error afterwards. One sentence each. */
  async remove(
    record: JobRecord,
    { resumable, done, ...options }: CallOptions & { resumable: boolean; done: string[] },
  ): Promise<void> {
    if (!wrote(record)) return;
    const errors: unknown[] = [];
    for (const storage of await allStorages(this.#services)) {
      // What the storage can read back is of use for resuming.
      if (resumable && storage.readUnfinished) continue;
      try {
        for (const unfinished of await this.#of(storage, record, options)) {
          await storage.discardUnfinished(unfinished, options);
          done.push(`Removed unfinished file ${unfinished.name}`);
        }
      } catch (error) {
        errors.push(error);
      }
    }
    options.signal?.throwIfAborted();
    if (errors.length > 0) throw unremoved(record, errors[0]);
  }

  async #of(storage: Storage, record: JobRecord, options: CallOptions): Promise<UnfinishedObject[]> {
    const running = await this.#services.state.running();
    const listing = this.#listings.get(storage) ?? list(storage, options);
    this.#listings.set(storage, listing);
    return (await listing).filter(
      (unfinished) =>
        !this.#reused.has(unfinished.id) &&
        belongsTo(record, unfinished) &&
        // A running job may have restarted what an interrupted one was writing.
        !running.some((one) => belongsTo(one, unfinished)),
    );
  }
}

/** Whether the job may have started to write an object: its name is saved before. */
function wrote({ object, copying, rekey = [], archive }: JobRecord): boolean {
  return object !== undefined || copying !== undefined || rekey.length > 0 || archive !== undefined;
}

async function list(storage: Storage, options: CallOptions): Promise<UnfinishedObject[]> {
  const found: UnfinishedObject[] = [];
  for await (const unfinished of storage.listUnfinished(options)) {
    // A bucket may be shared: ignore names that are not from this program.
    if (isBifractName(unfinished.name)) found.push(unfinished);
  }
  return found;
}

/** Some services and policies never allow it: then the upload has to be removed there, and the record here. */
function unremoved({ id, object, copying }: JobRecord, cause: unknown): BifractError {
  const { code, message, hint } = asBifractError(cause);
  const name = object ?? copying?.name ?? 'the job';
  const byHand = `Or remove the unfinished upload of ${name} with a tool or a lifecycle rule of the service, then delete .bifract/jobs/${id}.json.`;
  return new BifractError(code, message, { hint: hint ? `${hint} ${byHand}` : byHand, cause });
}
