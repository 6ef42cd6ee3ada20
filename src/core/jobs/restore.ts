import { asBifractError, BifractError } from '../errors.ts';
import type { AppContainer, Hold } from '../ports/database-server.ts';
import type { JobNote, State } from '../ports/state.ts';
import type { RestoreConsent, RestorePlan, RestoreSummary } from '../restore.ts';
import { type BackupDeps, backupNow } from './backup.ts';
import type { JobContext } from './context.ts';
import { type RestoreIntoDeps, restoreInto } from './restore-into.ts';
import { mustBeClear, writersOf } from './restore-obstacles.ts';
import { dropScratch, forgetWhen, scratchName } from './scratch.ts';
import { takePlace } from './take-place.ts';

export interface RestoreDeps extends RestoreIntoDeps {
  state: State;
  app: AppContainer | undefined;
  /** What the backup before the restore is made with; asked for only where it is made. */
  backup(): Promise<BackupDeps>;
}

/**
 * Restores a backup as planned. It goes into a fresh database first, is compared with the manifest there, and then
 * takes the live one's name in one transaction: until that commits, nothing of the live database has changed, whatever
 * dies or fails; from then on it is the backup. The safety backup is the last thing before, so that it is the newest
 * state.
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
  readonly #note: JobNote & { databases: [fresh: string, old: string] };
  #hold: Hold | undefined;

  constructor(deps: RestoreDeps, plan: RestorePlan, consent: RestoreConsent, context: JobContext) {
    this.#deps = deps;
    this.#plan = plan;
    this.#consent = consent;
    this.#context = context;
    const { id, now } = context;
    const databases: [string, string] = [scratchName('restore', id), scratchName('replaced', id)];
    this.#note = { id, kind: 'restore', started_at: now().toISOString(), databases };
  }

  async run(): Promise<RestoreSummary> {
    const started = performance.now();
    mustBeClear(this.#plan, this.#consent);
    await this.#deps.state.note(this.#note);
    try {
      await this.#begin();
      const done = await this.#replace();
      return { ...done, duration_ms: Math.round(performance.now() - started) };
    } finally {
      await this.#end();
    }
  }

  /** Nobody else backs up or restores the database from here on, and it is the one that was looked at. */
  async #begin(): Promise<void> {
    const { server } = this.#deps;
    const { database, replaces } = this.#plan;
    const { signal } = this.#context;
    await this.#mustBeAlone();
    if (replaces) this.#hold = await server.hold(database, { signal });
    const now = await server.find(database, { signal });
    if (now?.oid === replaces?.oid) return;
    throw new BifractError('BUSY', `The database ${database} is not the one that was looked at before`, {
      hint: 'Somebody else has replaced it in between. Plan the restore again.',
    });
  }

  async #replace(): Promise<Omit<RestoreSummary, 'duration_ms'>> {
    const { server } = this.#deps;
    const { database, replaces, file } = this.#plan;
    const { emit, signal } = this.#context;
    const [fresh, old] = this.#note.databases;
    const restored = await restoreInto(this.#deps, this.#plan, fresh, this.#context);
    emit('job:phase', { phase: 'Collecting statistics' });
    await server.analyze(fresh, { signal });
    if (replaces) await server.copyProperties(database, fresh, { signal });
    await this.#stopApp();
    const safety_backup = await this.#backUp();
    emit('job:phase', { phase: replaces ? 'Replacing the database' : 'Naming the database' });
    await this.#mustBeAlone();
    signal.throwIfAborted();
    const names = { live: database, fresh, old, end_sessions: this.#consent.end_sessions };
    const ended_sessions = await takePlace(server, names, replaces !== null, this.#context);
    return { file: file.name, database, ...restored, safety_backup, ended_sessions };
  }

  /** A job that began meanwhile would lose its records. */
  async #mustBeAlone(): Promise<void> {
    if (!this.#plan.replaces) return;
    const [other] = writersOf(await this.#deps.state.live());
    if (other) throw new BifractError('BUSY', `The job ${other.id} runs`, { hint: 'Wait for its end.' });
  }

  async #stopApp(): Promise<void> {
    const { app, state } = this.#deps;
    if (!this.#consent.stop_app || !this.#plan.app?.running || !app) return;
    this.#context.emit('job:phase', { phase: `Stopping ${app.name}` });
    await state.note({ ...this.#note, app_stopped: true });
    this.#note.app_stopped = true;
    await app.stop({ signal: this.#context.signal });
  }

  async #backUp(): Promise<string | null> {
    const { replaces, file, target } = this.#plan;
    if (!this.#consent.safety_backup || !replaces || target.kind !== 'live') return null;
    const reason = `before restore of ${file.name}`;
    const onName = (object: string) => {
      this.#note.object = object;
      return this.#deps.state.note(this.#note);
    };
    const options = { exclusive: false, reason, onName };
    return (await backupNow(await this.#deps.backup(), options, this.#context)).name;
  }

  /** However it ended: whichever of the two databases is not the live one goes, and the server runs again. */
  async #end(): Promise<void> {
    const { server, state } = this.#deps;
    await this.#hold?.release();
    const started = await this.#startApp();
    const dropped = await dropScratch(server, this.#note.databases, this.#context);
    await forgetWhen(started && dropped, state, this.#note.id);
  }

  async #startApp(): Promise<boolean> {
    const { app } = this.#deps;
    if (!this.#note.app_stopped || !app) return true;
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
