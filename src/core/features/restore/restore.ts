import { asBifractError, BifractError } from '../../contract/errors.ts';
import type { JobContext } from '../../job/context.ts';
import type { AppContainer, DatabaseLock } from '../../ports/database-server.ts';
import type { JobRecord, State } from '../../ports/state.ts';
import { type BackupDeps, backupNow } from '../backup/backup.ts';
import type { RestoreConsent, RestorePlan, RestoreSummary } from './contract.ts';
import { type RestoreIntoDeps, restoreInto } from './load.ts';
import { mustBeClear, writersOf } from './obstacles.ts';
import { dropScratch, removeRecordIf, scratchName } from './scratch-database.ts';
import { swapDatabases } from './swap.ts';

export interface RestoreDeps extends RestoreIntoDeps {
  state: State;
  app: AppContainer | undefined;
  /** Dependencies of the safety backup; called only if one is made. */
  backup(): Promise<BackupDeps>;
}

/**
 * Restores a backup as planned. The backup is restored into a new database, compared with the manifest, and
 * then swapped with the live database in one transaction: until the commit nothing of the live database has
 * changed, whatever fails. The safety backup is taken last, so that it has the latest state.
 */
export async function restore(
  deps: RestoreDeps,
  plan: RestorePlan,
  consent: RestoreConsent,
  context: JobContext,
): Promise<RestoreSummary> {
  return new Restore(deps, plan, consent, context).run();
}

class Restore {
  readonly #deps: RestoreDeps;
  readonly #plan: RestorePlan;
  readonly #consent: RestoreConsent;
  readonly #context: JobContext;
  readonly #record: JobRecord & { databases: [fresh: string, old: string] };
  #lock: DatabaseLock | undefined;

  constructor(deps: RestoreDeps, plan: RestorePlan, consent: RestoreConsent, context: JobContext) {
    this.#deps = deps;
    this.#plan = plan;
    this.#consent = consent;
    this.#context = context;
    const { id, now } = context;
    const databases: [string, string] = [scratchName('restore', id), scratchName('replaced', id)];
    this.#record = { id, kind: 'restore', started_at: now().toISOString(), databases };
  }

  async run(): Promise<RestoreSummary> {
    const started = performance.now();
    mustBeClear(this.#plan, this.#consent);
    await this.#deps.state.save(this.#record);
    try {
      await this.#lockDatabase();
      const done = await this.#replace();
      return { ...done, duration_ms: Math.round(performance.now() - started) };
    } finally {
      await this.#cleanUp();
    }
  }

  /** Locks the database against other backups and restores, and checks that it is still the planned one. */
  async #lockDatabase(): Promise<void> {
    const { server } = this.#deps;
    const { database, replaces } = this.#plan;
    const { signal } = this.#context;
    await this.#mustHaveNoWriters();
    if (replaces) this.#lock = await server.lock(database, { signal });
    const now = await server.find(database, { signal });
    if (now?.oid === replaces?.oid) return;
    throw new BifractError('BUSY', `Database ${database} was replaced after the restore was planned`, {
      hint: 'Plan the restore again.',
    });
  }

  async #replace(): Promise<Omit<RestoreSummary, 'duration_ms'>> {
    const { server } = this.#deps;
    const { database, replaces, file } = this.#plan;
    const { emit, signal } = this.#context;
    const [fresh, old] = this.#record.databases;
    const restored = await restoreInto(this.#deps, this.#plan, fresh, this.#context);
    emit('job:phase', { phase: 'Collecting statistics' });
    await server.analyze(fresh, { signal });
    if (replaces) await server.copyProperties(database, fresh, { signal });
    await this.#stopApp();
    const safety_backup = await this.#backUp();
    emit('job:phase', { phase: replaces ? 'Replacing the database' : 'Renaming the database' });
    await this.#mustHaveNoWriters();
    signal.throwIfAborted();
    const names = { live: database, fresh, old, end_sessions: this.#consent.end_sessions };
    const ended_sessions = await swapDatabases(server, names, replaces !== null, this.#context);
    const live = this.#plan.target.kind === 'live';
    return { file: file.name, database, live, ...restored, safety_backup, ended_sessions };
  }

  /** A job started meanwhile would lose its records. */
  async #mustHaveNoWriters(): Promise<void> {
    if (!this.#plan.replaces) return;
    const [other] = writersOf(await this.#deps.state.running());
    if (other)
      throw new BifractError('BUSY', `Job ${other.id} is running`, { hint: 'Wait until it has ended.' });
  }

  async #stopApp(): Promise<void> {
    const { app, state } = this.#deps;
    if (!this.#consent.stop_app || !this.#plan.app?.running || !app) return;
    this.#context.emit('job:phase', { phase: `Stopping ${app.name}` });
    await state.save({ ...this.#record, app_stopped: true });
    this.#record.app_stopped = true;
    await app.stop({ signal: this.#context.signal });
  }

  async #backUp(): Promise<string | null> {
    const { replaces, file, target } = this.#plan;
    if (!this.#consent.safety_backup || !replaces || target.kind !== 'live') return null;
    const reason = `before restore of ${file.name}`;
    const onName = (object: string) => {
      this.#record.object = object;
      return this.#deps.state.save(this.#record);
    };
    const options = { exclusive: false, reason, onName };
    return (await backupNow(await this.#deps.backup(), options, this.#context)).name;
  }

  /** Whatever the outcome: drops the database that is not live, and starts the server again. */
  async #cleanUp(): Promise<void> {
    const { server, state } = this.#deps;
    await this.#lock?.release();
    const started = await this.#startApp();
    const dropped = await dropScratch(server, this.#record.databases, this.#context);
    await removeRecordIf(started && dropped, state, this.#record.id);
  }

  async #startApp(): Promise<boolean> {
    const { app } = this.#deps;
    if (!this.#record.app_stopped || !app) return true;
    this.#context.emit('job:phase', { phase: `Starting ${app.name}` });
    try {
      await app.start();
      return true;
    } catch (error) {
      const { message } = asBifractError(error);
      this.#context.emit('job:warning', { message: `${app.name} could not be started again: ${message}` });
      return false;
    }
  }
}
