import { asBifractError, BifractError } from '../../contract/errors.ts';
import type { JobContext } from '../../job/context.ts';
import { copyRecords } from '../../job/copy-records.ts';
import type {
  AppContainer,
  DatabaseLock,
  DatabaseServer,
  DatabaseSwap,
} from '../../ports/database-server.ts';
import type { Services } from '../../ports/services.ts';
import type { JobRecord } from '../../ports/state.ts';
import { type BackupServices, backupNow } from '../backup/backup.ts';
import type { FileServices } from '../files/find-target.ts';
import { requireNoObstacles, writersOf } from './checks.ts';
import type { RestoreRequest, RestoreSummary } from './contract.ts';
import { type LoadServices, restoreInto } from './load.ts';
import { type BackupSource, plannedBackup } from './open-backup.ts';
import { dropScratch, endRecord, scratchName, whenReachable } from './scratch-database.ts';

type RestoreServices = FileServices &
  LoadServices &
  BackupServices &
  Pick<Services, 'keys' | 'containers' | 'state' | 'catalog'>;

/**
 * Restores a backup as planned. The backup is restored into a new database, compared with the manifest, and
 * then swapped with the live database in one transaction: until the commit nothing of the live database has
 * changed, whatever fails. The safety backup is taken last, so that it has the latest state.
 */
export async function restore(
  services: RestoreServices,
  request: RestoreRequest,
  context: JobContext,
): Promise<RestoreSummary> {
  requireNoObstacles(request.plan, request.consent);
  const source = await plannedBackup(services, request.plan, context);
  const server = await services.server();
  const containers = await services.containers();
  return new Restore(services, request, context, { source, server, containers }).run();
}

class Restore {
  readonly #services: RestoreServices;
  readonly #request: RestoreRequest;
  readonly #context: JobContext;
  readonly #source: BackupSource;
  readonly #server: DatabaseServer;
  readonly #containers: AppContainer[];
  /** Those that it has stopped, in that order. */
  readonly #stopped: AppContainer[] = [];
  readonly #record: JobRecord & { databases: [fresh: string, old: string] };
  #lock: DatabaseLock | undefined;

  constructor(
    services: RestoreServices,
    request: RestoreRequest,
    context: JobContext,
    parts: { source: BackupSource; server: DatabaseServer; containers: AppContainer[] },
  ) {
    this.#services = services;
    this.#request = request;
    this.#context = context;
    this.#source = parts.source;
    this.#server = parts.server;
    this.#containers = parts.containers;
    const { id, now } = context;
    const databases: [string, string] = [scratchName('restore', id), scratchName('replaced', id)];
    this.#record = { id, kind: 'restore', started_at: now().toISOString(), databases };
  }

  async run(): Promise<RestoreSummary> {
    const started = performance.now();
    await this.#services.state.save(this.#record);
    try {
      await this.#lockDatabase();
      const done = await this.#replace();
      const left = await this.#cleanUp();
      return { ...done, ...left, duration_ms: Math.round(performance.now() - started) };
    } catch (error) {
      await this.#cleanUp();
      throw error;
    }
  }

  /** Locks the database against other backups and restores, and checks that it is still the planned one. */
  async #lockDatabase(): Promise<void> {
    const { database, replaces } = this.#request.plan;
    const { signal } = this.#context;
    await this.#mustHaveNoWriters();
    if (replaces) this.#lock = await this.#server.lock(database, { signal });
    const now = await this.#server.find(database, { signal });
    if (now?.oid === replaces?.oid) return;
    throw new BifractError('BUSY', `Database ${database} was replaced after the restore was planned`, {
      hint: 'Plan the restore again.',
    });
  }

  async #replace(): Promise<Omit<RestoreSummary, 'duration_ms'>> {
    const { plan, consent } = this.#request;
    const { database, replaces, file } = plan;
    const { emit, signal } = this.#context;
    const [fresh, old] = this.#record.databases;
    const load = { plan, source: this.#source, database: fresh };
    const restored = await restoreInto(this.#services, load, this.#context);
    await this.#stopContainers();
    const safety_backup = await this.#backUp();
    emit('job:phase', { phase: replaces ? 'Replacing the database' : 'Renaming the database' });
    await this.#mustHaveNoWriters();
    signal.throwIfAborted();
    const names = { live: database, fresh, old, end_sessions: consent.end_sessions };
    const ended_sessions = await swapDatabases(this.#server, names, replaces !== null, this.#context);
    const live = plan.target.kind === 'live';
    // A later release of the server drops the records of an older backup when it starts.
    const older = plan.tables.some(({ name, where }) => name === 'archives' && where === 'backup');
    if (live && replaces && older)
      await copyRecords(this.#services, (message) => emit('job:warning', { message }));
    return { file: file.name, database, live, ...restored, safety_backup, ended_sessions };
  }

  /** A job that is running now would lose its records. */
  async #mustHaveNoWriters(): Promise<void> {
    if (!this.#request.plan.replaces) return;
    const [other] = writersOf(await this.#services.state.running());
    if (!other) return;
    throw new BifractError('BUSY', `Job ${other.id} is running`, { hint: 'Wait until it has ended.' });
  }

  /** Stops what writes to the database. Each is noted before, so that it is started again after a crash. */
  async #stopContainers(): Promise<void> {
    const { plan, consent } = this.#request;
    const { signal, emit } = this.#context;
    if (!consent.stop_app || !plan.replaces) return;
    for (const container of this.#containers) {
      if (!(await container.running({ signal }))) continue;
      emit('job:phase', { phase: `Stopping ${container.name}` });
      const containers_stopped = [...this.#stopped, container].map(({ name }) => name);
      await this.#services.state.save({ ...this.#record, app_stopped: true, containers_stopped });
      Object.assign(this.#record, { app_stopped: true, containers_stopped });
      this.#stopped.push(container);
      await container.stop({ signal });
    }
  }

  async #backUp(): Promise<string | null> {
    const { plan, consent } = this.#request;
    if (!consent.safety_backup || !plan.replaces || plan.target.kind !== 'live') return null;
    const reason = `before restore of ${plan.file.name}`;
    const onName = (object: string) => {
      this.#record.object = object;
      return this.#services.state.save(this.#record);
    };
    return (await backupNow(this.#services, { exclusive: false, reason, onName }, this.#context)).name;
  }

  /**
   * Whatever the outcome: drops the database that is not live, and starts the containers again. Never throws. Returns what
   * to add to the result.
   */
  async #cleanUp(): Promise<Pick<RestoreSummary, 'app_stopped' | 'containers_stopped' | 'containers_left'>> {
    await this.#lock?.release();
    const { left, error } = await this.#startContainers();
    const kept = await dropScratch(this.#server, this.#record.databases, this.#context);
    await endRecord(this.#services.state, this.#record, error ?? kept);
    const containers_stopped = this.#stopped.map(({ name }) => name);
    return {
      ...(containers_stopped.length > 0 ? { containers_stopped } : {}),
      ...(left.length > 0 ? { app_stopped: true, containers_left: left } : {}),
    };
  }

  /** Returns the names of those that cannot be started, and the first error. */
  async #startContainers(): Promise<{ left: string[]; error?: BifractError }> {
    const failures: { name: string; error: BifractError }[] = [];
    for (const container of this.#stopped.toReversed()) {
      const { name } = container;
      this.#context.emit('job:phase', { phase: `Starting ${name}` });
      await container.start().catch((thrown: unknown) => {
        const error = asBifractError(thrown);
        const { message, hint = '' } = error;
        this.#context.emit('job:warning', {
          message: `${name} could not be started again: ${message}. ${hint}`,
        });
        failures.push({ name, error });
      });
    }
    return { left: failures.map(({ name }) => name), error: failures[0]?.error };
  }
}

/**
 * Swaps the new database with the live one, or renames it if there is none. If the connection breaks during
 * the commit, checks the outcome as soon as the server answers. Returns the number of terminated sessions.
 */
async function swapDatabases(
  server: DatabaseServer,
  swap: DatabaseSwap,
  replaces: boolean,
  context: JobContext,
): Promise<number> {
  const fresh = await server.find(swap.fresh);
  try {
    if (replaces) return await server.swap(swap);
    await server.rename(swap.fresh, swap.live);
    return 0;
  } catch (thrown) {
    const error = asBifractError(thrown);
    if (error.code !== 'POSTGRES_UNREACHABLE' || fresh === undefined) throw error;
    const live = await whenReachable(() => server.find(swap.live), context);
    if (live?.oid !== fresh.oid) throw error;
    return 0;
  }
}
