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
  Pick<Services, 'keys' | 'app' | 'state' | 'catalog'>;

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
  const app = await services.app();
  return new Restore(services, request, context, { source, server, app }).run();
}

class Restore {
  readonly #services: RestoreServices;
  readonly #request: RestoreRequest;
  readonly #context: JobContext;
  readonly #source: BackupSource;
  readonly #server: DatabaseServer;
  readonly #app: AppContainer | undefined;
  readonly #record: JobRecord & { databases: [fresh: string, old: string] };
  #lock: DatabaseLock | undefined;

  constructor(
    services: RestoreServices,
    request: RestoreRequest,
    context: JobContext,
    parts: { source: BackupSource; server: DatabaseServer; app: AppContainer | undefined },
  ) {
    this.#services = services;
    this.#request = request;
    this.#context = context;
    this.#source = parts.source;
    this.#server = parts.server;
    this.#app = parts.app;
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
    emit('job:phase', { phase: 'Collecting statistics' });
    await this.#server.analyze(fresh, { signal });
    if (replaces) await this.#server.copyProperties(database, fresh, { signal });
    await this.#stopApp();
    const safety_backup = await this.#backUp();
    emit('job:phase', { phase: replaces ? 'Replacing the database' : 'Renaming the database' });
    await this.#mustHaveNoWriters();
    signal.throwIfAborted();
    const names = { live: database, fresh, old, end_sessions: consent.end_sessions };
    const ended_sessions = await swapDatabases(this.#server, names, replaces !== null, this.#context);
    const live = plan.target.kind === 'live';
    // Before a server of a later release starts, which drops the records of an older backup.
    if (live) await copyRecords(this.#services, (message) => emit('job:warning', { message }));
    return { file: file.name, database, live, ...restored, safety_backup, ended_sessions };
  }

  /** A job that is running now would lose its records. */
  async #mustHaveNoWriters(): Promise<void> {
    if (!this.#request.plan.replaces) return;
    const [other] = writersOf(await this.#services.state.running());
    if (!other) return;
    throw new BifractError('BUSY', `Job ${other.id} is running`, { hint: 'Wait until it has ended.' });
  }

  async #stopApp(): Promise<void> {
    const { plan, consent } = this.#request;
    const app = this.#app;
    if (!consent.stop_app || !plan.app?.running || !app) return;
    this.#context.emit('job:phase', { phase: `Stopping ${app.name}` });
    await this.#services.state.save({ ...this.#record, app_stopped: true });
    this.#record.app_stopped = true;
    await app.stop({ signal: this.#context.signal });
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
   * Whatever the outcome: drops the database that is not live, and starts the server again. Never throws. Returns what to
   * add to the result.
   */
  async #cleanUp(): Promise<{ app_stopped?: true }> {
    await this.#lock?.release();
    const stopped = await this.#startApp();
    const kept = await dropScratch(this.#server, this.#record.databases, this.#context);
    await endRecord(this.#services.state, this.#record, stopped ?? kept);
    return stopped ? { app_stopped: true } : {};
  }

  /** Returns the error if it cannot be started. */
  async #startApp(): Promise<BifractError | undefined> {
    const app = this.#app;
    if (!this.#record.app_stopped || !app) return undefined;
    this.#context.emit('job:phase', { phase: `Starting ${app.name}` });
    try {
      await app.start();
      return undefined;
    } catch (thrown) {
      const error = asBifractError(thrown);
      const { message, hint = '' } = error;
      this.#context.emit('job:warning', {
        message: `${app.name} could not be started again: ${message}. ${hint}`,
      });
      return error;
    }
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
