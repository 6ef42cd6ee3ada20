import { BifractError } from '../contract/errors.ts';
import type { JobEvent } from '../contract/events.ts';
import { isRestoreRecord, unfinishedRestores } from '../features/archive-restore/checkpoint.ts';
import { fold, newEntry, viewOf } from '../job/job-view.ts';
import type { BusJob } from '../ports/job-bus.ts';
import type { ArchiveProgressRecord, JobRecord } from '../ports/state.ts';
import type { CallOptions } from '../ports/types.ts';
import type { JobRequest } from './jobs.ts';
import type { JobQueries, KnownJob } from './known-jobs.ts';
import type { EngineServices } from './services.ts';

type JobServices = Pick<EngineServices, 'jobBus' | 'state' | 'catalog' | 'now'>;

/** Job queries on an installation's services. */
export class JobQueryService implements JobQueries {
  readonly #services: JobServices;

  constructor(services: JobServices) {
    this.#services = services;
  }

  async knownJobs({ signal }: CallOptions = {}): Promise<KnownJob[]> {
    const { jobBus: board, state } = this.#services;
    const interrupted = new Set((await state.interrupted()).map(({ id }) => id));
    const jobs: KnownJob[] = [];
    for (const id of await board.ids()) {
      signal?.throwIfAborted();
      const job = await board.find(id);
      // No event yet: the job is starting, or the disk was full.
      if (job && job.events.length > 0) jobs.push({ ...this.#fold(job), unsettled: interrupted.has(id) });
    }
    return jobs.sort((a, b) => Number(b.live) - Number(a.live) || b.started_at - a.started_at);
  }

  async findJob(wanted: string): Promise<string> {
    const ids = await this.#services.jobBus.ids();
    if (ids.includes(wanted)) return wanted;
    const [found, ...others] = ids.filter((id) => id.endsWith(`-${wanted}`));
    if (found === undefined) {
      throw new BifractError('NOT_FOUND', `Job not found: ${wanted}`, {
        hint: 'List all known jobs with `bifract jobs --all`.',
      });
    }
    if (others.length > 0)
      throw new BifractError('USAGE', `Ambiguous job id: several jobs end with ${wanted}`);
    return found;
  }

  follow(job: string, options?: CallOptions): AsyncIterable<JobEvent> {
    return this.#services.jobBus.follow(job, options);
  }

  requestCancel(job: string, options?: CallOptions): Promise<void> {
    return this.#services.jobBus.cancel(job, options);
  }

  async resumeRequest(id: string, options?: CallOptions): Promise<JobRequest> {
    const { state } = this.#services;
    const records = [...(await unfinishedRestores(state)), ...(await state.interrupted())];
    const record = records.find((one) => isAbout(one, id));
    if (record && isRestoreRecord(record)) return { kind: 'restore-archive', plan: record.restoring.plan };
    if (record?.archive) return this.#archiveRequest(record.archive, options);
    throw new BifractError('NOT_FOUND', 'Cannot resume: no partial data is left', {
      hint: 'Start it again.',
    });
  }

  async #archiveRequest({ request }: ArchiveProgressRecord, options?: CallOptions): Promise<JobRequest> {
    const { from, to, ...asked } = request;
    const fractals = await (await this.#services.catalog()).fractals(options);
    const fractal_name = fractals.find(({ id }) => id === request.fractal_id)?.name;
    return { kind: 'archive', ...asked, fractal_name, from: from ?? undefined, to: to ?? undefined };
  }

  #fold({ id, live, events }: BusJob<JobEvent>): Omit<KnownJob, 'unsettled'> {
    const entry = newEntry(id, Date.parse(events[0]?.time ?? ''));
    for (const event of events) fold(entry, event, Date.parse(event.time), this.#services.now().getTime());
    return { ...viewOf(entry), live };
  }
}

function isAbout({ id, archive_id, archive, restoring }: JobRecord, wanted: string): boolean {
  return [id, archive_id, archive?.group_id, ...(restoring?.archive_ids ?? [])].includes(wanted);
}
