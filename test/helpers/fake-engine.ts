import type { PrunePlan } from '../../src/core/features/backup/contract.ts';
import type { RotatePlan } from '../../src/core/features/keys/contract.ts';
import type { RestorePlan, RestoreQuery } from '../../src/core/features/restore/contract.ts';
import {
  type AdoptPlan,
  type ArchiveBrowser,
  type ArchiveGroup,
  type ArchiveRecord,
  type ArchiveRestorePlan,
  type ArchiveRestoreQuery,
  type ArchiveSchedule,
  type BackupFile,
  BifractError,
  type CopyPlan,
  type Coverage,
  type CoveragePeriod,
  type DeletePlan,
  type DeleteTarget,
  type DueItem,
  type Engine,
  type ErrorReport,
  type FileCheck,
  type FileReport,
  type Fractal,
  type Health,
  type InstallationInfo,
  type JobEvent,
  type JobEventMap,
  type JobHandle,
  type JobOutcome,
  type JobRequest,
  type KnownJob,
  type Orphan,
  type QueuedJob,
  type QueueMove,
  type SearchHit,
} from '../../src/core/index.ts';
import { FakeArchive, fakeBackupReport, fakeOrphan, fakeReport } from './fake-archive.ts';
import { fakeRestorePlan } from './fake-plans.ts';

const DAY = 86_400_000;
const GIB = 1024 ** 3;

function ago(ms: number): string {
  return new Date(Date.now() - ms).toISOString();
}

function uuid(seed: number): string {
  return `00000000-0000-4000-8000-${String(seed).padStart(12, '0')}`;
}

/** A fractal with plausible values; `given` overrides them. */
export function fakeFractal(seed: number, given: Partial<Fractal> = {}): Fractal {
  return {
    id: uuid(seed),
    name: `fractal-${seed}`,
    description: null,
    is_default: false,
    is_system: false,
    created_at: ago(200 * DAY),
    log_count: seed * 1_234_567,
    size_bytes: seed * 0.37 * GIB,
    earliest_log: ago((90 + seed) * DAY),
    latest_log: ago(seed * 60_000),
    retention_days: 90,
    archive_schedule: 'daily',
    max_archives: 7,
    archive_split: 'none',
    ...given,
  };
}

/** A completed archive of a fractal; `given` overrides its values. */
export function fakeArchive(
  seed: number,
  fractal: Fractal,
  given: Partial<ArchiveRecord> = {},
): ArchiveRecord {
  const created_at = given.created_at ?? ago(seed * DAY);
  const stamp = created_at.replaceAll(/[-:]/g, '').replace('T', '-').slice(0, 15);
  const filename = `${fractal.id}-${stamp}.bifract-archive`;
  return {
    id: uuid(1000 + seed),
    fractal_id: fractal.id,
    fractal_name: fractal.name,
    filename,
    storage_type: 'disk',
    storage_path: `archives/${fractal.id}/${filename}`,
    size_bytes: Math.round(fractal.size_bytes / 9),
    log_count: fractal.log_count,
    time_range_start: fractal.earliest_log,
    time_range_end: created_at,
    status: 'completed',
    error_message: null,
    created_by: 'admin',
    created_at,
    archive_type: seed % 3 === 0 ? 'adhoc' : 'scheduled',
    format_version: 1,
    archive_end_ts: created_at,
    checksum: 'ab12'.repeat(16),
    group_id: uuid(2000 + seed),
    period_label: null,
    ...given,
  };
}

/** A backup file made `days` days ago; `given` overrides its values. */
export function fakeBackup(days: number, given: Partial<BackupFile> = {}): BackupFile {
  const created_at = ago(days * DAY);
  const stamp = created_at.replaceAll(/[-:]/g, '').replace('T', '-').slice(0, 15);
  const name = `bifract-backup-${stamp}.bifract-backup`;
  return {
    name,
    id: name,
    size_bytes: 48_000_000 + days * 31_000,
    created_at,
    sealed: true,
    error: null,
    verified: null,
    restored: null,
    storage_type: 'disk',
    notes: [],
    path: `/opt/bifract/backups/${name}`,
    ...given,
  };
}

export function fakeHealth(given: Partial<Health> = {}): Health {
  return {
    release: {
      ok: true,
      detail: 'Bifract from March to June 2026: the server keeps the records of archives',
    },
    postgres: { ok: true, detail: '16.4, via docker compose exec' },
    clickhouse: { ok: true, detail: '26.3.1, over HTTP at 172.18.0.3:8123' },
    backups: {
      ok: true,
      detail: 'readable and writable',
      location: '/opt/bifract/backups',
      free_bytes: 120 * GIB,
    },
    archives: { ok: true, detail: 'readable and writable', location: '/archives', free_bytes: 820 * GIB },
    key: { ok: true, detail: 'present, 256 bits', key_id: '9f31c2a4', known_ids: ['9f31c2a4'] },
    server_archive: null,
    leftovers: [],
    ...given,
  };
}

/** A job whose events are emitted by the test. */
export class FakeJob {
  readonly id: string;
  readonly request: JobRequest;
  readonly handle: JobHandle;
  cancelRequested = false;
  ended = false;
  readonly #listeners: ReadonlySet<(event: JobEvent) => void>;
  readonly #end = Promise.withResolvers<JobOutcome>();

  constructor(
    id: string,
    request: JobRequest,
    { title, target }: Pick<JobHandle, 'title' | 'target'>,
    listeners: ReadonlySet<(event: JobEvent) => void>,
  ) {
    this.id = id;
    this.request = request;
    this.#listeners = listeners;
    this.handle = { id, kind: request.kind, title, target, outcome: this.#end.promise };
  }

  emit<Name extends keyof JobEventMap>(event: Name, payload: JobEventMap[Name], time = Date.now()): void {
    const stamped = { event, job: this.id, time: new Date(time).toISOString(), ...payload } as JobEvent;
    for (const listener of this.#listeners) listener(stamped);
    if (!['job:done', 'job:failed', 'job:cancelled'].includes(event)) return;
    this.ended = true;
    this.#end.resolve(stamped as JobOutcome);
  }

  phase(phase: string): void {
    this.emit('job:phase', { phase });
  }

  done(result: Record<string, unknown> = {}): void {
    this.emit('job:done', { result });
  }

  fail(error: ErrorReport): void {
    this.emit('job:failed', { error });
  }

  cancelled(): void {
    this.emit('job:cancelled', { error: { code: 'CANCELLED', message: 'Cancelled by the user' } });
  }
}

/** The plan of a restore of one archive; `given` overrides its values. */
export function fakeArchiveRestorePlan(given: Partial<ArchiveRestorePlan> = {}): ArchiveRestorePlan {
  const name = `${uuid(2)}-20260301-020000.bifract-archive`;
  return {
    id: 'plan',
    planned_at: ago(0),
    files: [
      {
        archive_id: uuid(1001),
        name,
        path: `/archives/archives/${uuid(2)}/${name}`,
        size_bytes: 0.2 * GIB,
        rows: 1_234_567,
        first: ago(30 * DAY),
        last: ago(DAY),
        fields: true,
        raw_from: 'logs',
      },
    ],
    into: { id: uuid(2), name: 'web-prod' },
    creates: null,
    from: null,
    to: null,
    via: 'direct',
    replace: false,
    removes: null,
    rows: 1_234_567,
    content_bytes: 1.1 * GIB,
    rows_there: 0,
    differences: null,
    expires: null,
    estimate_ms: 11_000,
    notes: [],
    obstacles: [],
    ...given,
  };
}

/** Coverage of the last days, one per state; `given` overrides its values. */
export function fakeCoverage(
  fractal: Fractal,
  states: CoveragePeriod['state'][],
  given: Partial<Coverage> = {},
): Coverage {
  const today = Math.floor(Date.now() / DAY) * DAY;
  const periods = states.map((state, index): CoveragePeriod => {
    const from = today - (states.length - 1 - index) * DAY;
    const rows = state === 'archive' || state === 'none' ? 0 : 1000 + index;
    return {
      from: new Date(from).toISOString(),
      to: new Date(from + DAY).toISOString(),
      state,
      rows,
      unprotected_rows: state === 'clickhouse' ? rows : state === 'partial' ? 7 : 0,
      archive_ids: state === 'clickhouse' || state === 'none' ? [] : [uuid(1001)],
    };
  });
  const unprotected_rows = periods.reduce((sum, period) => sum + period.unprotected_rows, 0);
  return {
    fractal_id: fractal.id,
    fractal_name: fractal.name,
    unit: 'day',
    server_archive: null,
    periods,
    unprotected_rows,
    protected_until: periods.find((period) => period.unprotected_rows > 0)?.from ?? null,
    ...given,
  };
}

export interface FakeData {
  fractals: Fractal[];
  archives: ArchiveRecord[];
  groups: ArchiveGroup[];
  backups: BackupFile[];
  checks: FileCheck[];
  health: Health;
  /** Results of `show`. */
  files: FileReport[];
  adoptable: AdoptPlan;
  orphans: Orphan[];
  /** Result of `planDelete`. */
  deletion: DeletePlan;
  /** Overrides of the result of `planRestore`. */
  restore: Partial<RestorePlan>;
  /** Result of `planCopy`; `to` is taken from the call. */
  copies: CopyPlan;
  /** Result of `planArchiveRestore`; the values of the query are set in it. */
  archiveRestore: ArchiveRestorePlan;
  /** Results of `browse`, by target. */
  browsable: Record<string, ArchiveBrowser>;
  /** Results of `coverage`, by fractal id; other fractals have three days that are not archived. */
  coverage: Record<string, Coverage>;
}

function titleOf(request: JobRequest): string {
  switch (request.kind) {
    case 'verify': {
      const { targets } = request;
      if (targets === 'all') return 'Verification of all files';
      return `Verification of ${targets.length === 1 ? targets[0] : `${targets.length} files`}`;
    }
    case 'adopt':
      return `Adoption of ${request.plan.items.length} files`;
    case 'clean':
      return `Clean-up of ${request.orphans.length}`;
    case 'restore':
    case 'drill':
      return `${request.kind === 'drill' ? 'Restore drill' : 'Restore'} of ${request.plan.file.name}${request.plan.target.kind === 'beside' ? ` into ${request.plan.database}` : ''}`;
    case 'restore-archive':
      return `Restore into ${request.plan.into.name}`;
    default:
      return 'Backup';
  }
}

/** An engine in memory: tests set its data, delay or fail its queries, and drive its jobs. */
export class FakeEngine implements Engine {
  readonly installation: InstallationInfo;
  readonly jobs: FakeJob[] = [];
  data: FakeData;
  /** Set to make queries fail. */
  failure: BifractError | undefined;
  /** Set to delay queries. */
  gate: Promise<void> = Promise.resolve();
  queries = 0;
  closed = false;
  /** Called after `job:started` of every job. */
  onStart: (job: FakeJob) => void = () => {};
  /** Called when a job is to be cancelled; by default it ends at once. */
  onCancel: (job: FakeJob) => void = (job) => job.cancelled();
  readonly #listeners = new Set<(event: JobEvent) => void>();

  constructor(data: Partial<FakeData> = {}, installation: Partial<InstallationInfo> = {}) {
    this.data = {
      fractals: [],
      archives: [],
      groups: [],
      backups: [],
      checks: [],
      health: fakeHealth(),
      files: [],
      adoptable: { items: [] },
      orphans: [],
      deletion: { id: 'plan', planned_at: ago(0), items: [], freed_bytes: 0, backups_left: null },
      restore: {},
      copies: { planned_at: ago(0), to: 's3', move: false, items: [], size_bytes: 0 },
      archiveRestore: fakeArchiveRestorePlan(),
      browsable: {},
      coverage: {},
      ...data,
    };
    this.installation = {
      dir: '/opt/bifract',
      key_id: '9f31c2a4',
      storage: 'disk /opt/bifract/backups',
      read_only: false,
      version: '0.1.0',
      ...installation,
    };
  }

  async #answer<T>(value: () => T): Promise<T> {
    this.queries += 1;
    await this.gate;
    if (this.failure) throw this.failure;
    return value();
  }

  health(): Promise<Health> {
    return this.#answer(() => this.data.health);
  }

  fractals(): Promise<Fractal[]> {
    return this.#answer(() => [...this.data.fractals]);
  }

  async setSchedule(fractal_id: string, schedule: ArchiveSchedule): Promise<void> {
    this.data.fractals = this.data.fractals.map((fractal) =>
      fractal.id === fractal_id ? { ...fractal, ...schedule } : fractal,
    );
  }

  groups(): Promise<ArchiveGroup[]> {
    return this.#answer(() => [...this.data.groups]);
  }

  archives(filter: { fractal_id?: string } = {}): Promise<ArchiveRecord[]> {
    const wanted = (record: ArchiveRecord) => !filter.fractal_id || record.fractal_id === filter.fractal_id;
    return this.#answer(() => this.data.archives.filter(wanted));
  }

  backups(): Promise<BackupFile[]> {
    return this.#answer(() => [...this.data.backups]);
  }

  checks(): Promise<FileCheck[]> {
    return this.#answer(() => [...this.data.checks]);
  }

  start(request: JobRequest): JobHandle {
    return this.#startAs(`job-${this.jobs.length + 1}`, request).handle;
  }

  #describe(request: JobRequest): Pick<JobHandle, 'kind' | 'title' | 'target'> {
    const on =
      request.kind === 'archive'
        ? request.fractal_id
        : request.kind === 'restore-archive'
          ? request.plan.into.id
          : undefined;
    const target = on === undefined ? undefined : ({ kind: 'fractal', id: on } as const);
    const fractal = this.data.fractals.find((candidate) => candidate.id === target?.id);
    const title = request.kind === 'archive' ? `Archive ${fractal?.name ?? target?.id}` : titleOf(request);
    return { kind: request.kind, title, target };
  }

  #startAs(id: string, request: JobRequest): FakeJob {
    const { title, target } = this.#describe(request);
    const job = new FakeJob(id, request, { title, target }, this.#listeners);
    this.jobs.push(job);
    if (request.kind === 'verify') this.#remember(job, request.quick ?? false);
    job.emit('job:started', { kind: request.kind, title, target });
    this.onStart(job);
    return job;
  }

  /** Queued jobs, the next one first; when the one that runs has ended, it is started. */
  readonly waiting: { id: string; request: JobRequest; queued_at: string }[] = [];
  #fromQueue: FakeJob | undefined;

  async enqueue(request: JobRequest): Promise<string> {
    if (this.failure) throw this.failure;
    const id = `queued-${this.jobs.length + this.waiting.length + 1}`;
    this.waiting.push({ id, request, queued_at: ago(0) });
    this.#startQueued();
    return id;
  }

  #startQueued(): void {
    if (this.#fromQueue && !this.#fromQueue.ended) return;
    const next = this.waiting.shift();
    if (!next) return;
    this.#fromQueue = this.#startAs(next.id, next.request);
    void this.#fromQueue.handle.outcome.then(() => this.#startQueued());
  }

  async queueStarted(): Promise<void> {}

  async queuedJobs(): Promise<QueuedJob[]> {
    const by = { user: 'root', host: 'logs-1', pid: 4711, from: 'pts/0' };
    return this.waiting.map(({ id, request, queued_at }, index) => {
      const { kind, title, target } = this.#describe(request);
      return { id, kind, title, target, position: index + 1, queued_at, by, problem: null };
    });
  }

  async removeQueued(id: string): Promise<boolean> {
    const at = this.waiting.findIndex((one) => one.id === id);
    return at >= 0 && this.waiting.splice(at, 1).length > 0;
  }

  async moveQueued(id: string, to: QueueMove): Promise<void> {
    const at = this.waiting.findIndex((one) => one.id === id);
    const target = { first: 0, up: Math.max(0, at - 1), down: at + 1, last: this.waiting.length }[to];
    this.waiting.splice(target, 0, ...this.waiting.splice(at, 1));
  }

  async runQueue(): Promise<void> {}

  /** Remembers the results of a verification, as the engine does. */
  #remember({ id }: FakeJob, quick: boolean): void {
    this.#listeners.add((event) => {
      if (event.job !== id || event.event !== 'job:item') return;
      const { item, ok, message, error, time } = event;
      const failure = ok ? null : (error ?? { code: 'DAMAGED', message });
      const result = { at: time, ok, quick, key_id: null, message, error: failure };
      const { backups, archives, orphans } = this.data;
      this.data.backups = backups.map((one) => (one.path === item ? { ...one, verified: result } : one));
      const record = archives.find(({ storage_path }) => item.endsWith(storage_path));
      const orphan = orphans.find((one) => one.id === item);
      this.data.checks.push({
        kind: quick ? 'quick' : 'verify',
        path: item,
        size_bytes: record?.size_bytes ?? orphan?.size_bytes ?? null,
        modified_at: null,
        uuid: null,
        checksum: null,
        key_id: null,
        at: time,
        message,
        error: failure,
      });
    });
  }

  async detach(request: JobRequest): Promise<string> {
    return this.start(request).id;
  }

  /** Set to make jobs outlive the console. */
  detached = false;

  outlives(): boolean {
    return this.detached;
  }

  /** Result of `knownJobs`. */
  history: KnownJob[] = [];

  async knownJobs(): Promise<KnownJob[]> {
    return this.history;
  }

  async findJob(id: string): Promise<string> {
    return id;
  }

  async *follow(): AsyncIterable<JobEvent> {}

  /** Results of `resumeRequest`, by id of the job, archive or group. */
  readonly interrupted = new Map<string, JobRequest>();

  async resumable(): Promise<string[]> {
    return [...this.interrupted.keys()];
  }

  resumeRequest(id: string): Promise<JobRequest> {
    return this.#answer(() => {
      const request = this.interrupted.get(id);
      if (request) return request;
      throw new BifractError('NOT_FOUND', 'No partial data is left', { hint: 'Start it again.' });
    });
  }

  async requestCancel(id: string): Promise<void> {
    this.cancel(id);
  }

  cancel(id: string): void {
    const job = this.jobs.find((candidate) => candidate.id === id);
    if (!job || job.ended) return;
    job.cancelRequested = true;
    this.onCancel(job);
  }

  subscribe(listener: (event: JobEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  // biome-ignore lint/correctness/useYield: the console never asks for content
  async *extract(): AsyncIterable<Buffer> {
    throw new BifractError('INTERNAL', 'This engine has no files');
  }

  show(target: string): Promise<FileReport> {
    return this.#answer(() => {
      const report = this.data.files.find(({ path, name, record }) =>
        [path, name, record?.id].includes(target),
      );
      if (!report) throw new BifractError('NOT_FOUND', `No such file: ${target}`);
      return report;
    });
  }

  async *search(): AsyncIterable<SearchHit> {}

  browse(target: string): Promise<ArchiveBrowser> {
    return this.#answer(() => {
      const browser = this.data.browsable[target];
      if (!browser) throw new BifractError('NOT_FOUND', `No such file: ${target}`);
      return browser;
    });
  }

  /** Arguments of each call of `planAdopt`. */
  readonly adoptCalls: { files: string[] | undefined; create_fractals: boolean | undefined }[] = [];

  planAdopt(files?: string[], options: { create_fractals?: boolean } = {}): Promise<AdoptPlan> {
    this.adoptCalls.push({ files, create_fractals: options.create_fractals });
    return this.#answer(() => this.data.adoptable);
  }

  orphans(): Promise<Orphan[]> {
    return this.#answer(() => [...this.data.orphans]);
  }

  /** Arguments of each call of `planRestore`. */
  readonly restoreCalls: { query: RestoreQuery; options: Parameters<Engine['planRestore']>[1] }[] = [];

  planRestore(query: RestoreQuery, options?: Parameters<Engine['planRestore']>[1]): Promise<RestorePlan> {
    this.restoreCalls.push({ query, options });
    return this.#answer(() => {
      options?.signal?.throwIfAborted();
      return fakeRestorePlan(query, this.data.restore);
    });
  }

  async planDue(): Promise<DueItem[]> {
    return this.#answer(() => []);
  }

  async planPrune(): Promise<PrunePlan> {
    throw new BifractError('INTERNAL', 'This engine has no retention');
  }

  async planRotate(): Promise<RotatePlan> {
    throw new BifractError('INTERNAL', 'This engine has only one key');
  }

  /** Targets of each call of `planDelete`. */
  readonly deleteCalls: (readonly DeleteTarget[])[] = [];

  async planDelete(targets: readonly DeleteTarget[]): Promise<DeletePlan> {
    this.deleteCalls.push(targets);
    return this.#answer(() => this.data.deletion);
  }

  /** Arguments of each call of `planCopy`. */
  readonly copyCalls: { targets: readonly string[]; to: 'disk' | 's3' }[] = [];

  async planCopy(targets: readonly string[], { to }: { to: 'disk' | 's3' }): Promise<CopyPlan> {
    this.copyCalls.push({ targets, to });
    return this.#answer(() => ({ ...this.data.copies, to }));
  }

  /** Queries of each call of `planArchiveRestore`. */
  readonly archiveRestoreCalls: ArchiveRestoreQuery[] = [];

  planArchiveRestore(query: ArchiveRestoreQuery): Promise<ArchiveRestorePlan> {
    this.archiveRestoreCalls.push(query);
    const { into, from = null, to = null, replace = false, via = 'direct' } = query;
    return this.#answer(() => {
      const plan = this.data.archiveRestore;
      const other = this.data.fractals.find(({ id }) => id === into);
      const target = other ? { id: other.id, name: other.name } : plan.into;
      return { ...plan, into: target, from, to, replace, via };
    });
  }

  coverage(fractal_id: string): Promise<Coverage> {
    return this.#answer(() => {
      const fractal = this.data.fractals.find(({ id }) => id === fractal_id);
      if (!fractal) throw new BifractError('NOT_FOUND', `No such fractal: ${fractal_id}`);
      return this.data.coverage[fractal_id] ?? fakeCoverage(fractal, Array(3).fill('clickhouse'));
    });
  }

  async recover() {
    return { done: [], leftovers: this.data.health.leftovers };
  }

  async close(): Promise<void> {
    this.closed = true;
  }
}

const WITHOUT_TRAILER: Partial<FileReport> = {
  sealed: false,
  uuid: null,
  tool: 'Bifract 1.4.0',
  content_bytes: null,
  content_sha256: null,
  frames: null,
  notes: [
    'The file has no trailer: the size of its content is known only after reading all of it (`bifract verify`).',
  ],
};

/** A busy installation: fractals, some with odd names, archives in all states, backups and orphans. */
export function busyEngine(installation: Partial<InstallationInfo> = {}): FakeEngine {
  const fractals = [
    fakeFractal(1, { name: 'default', is_default: true, description: 'Logs without a fractal' }),
    fakeFractal(2, { name: 'web-prod', log_count: 812_345_678, size_bytes: 290 * GIB }),
    fakeFractal(3, { name: 'web-staging', archive_schedule: 'weekly' }),
    fakeFractal(4, { name: 'firewall' }),
    fakeFractal(5, { name: 'dns', archive_schedule: 'never', retention_days: null }),
    fakeFractal(6, { name: 'vpn', archive_schedule: 'monthly' }),
    fakeFractal(7, { name: 'empty', log_count: 0, size_bytes: 0, earliest_log: null, latest_log: null }),
    fakeFractal(8, { name: 'a-name-that-is-rather-too-long-for-any-column-of-a-table-on-a-small-screen' }),
    fakeFractal(9, { name: '日本語のログ' }),
    fakeFractal(10, { name: 'system', is_system: true, archive_schedule: 'never' }),
  ];
  const archives = fractals
    .filter(({ name }) => name !== 'dns' && name !== 'empty')
    .flatMap((fractal, index) => [fakeArchive(index + 1, fractal), fakeArchive(index + 20, fractal)]);
  const [, , staging] = fractals;
  if (staging) {
    archives.unshift(
      fakeArchive(90, staging, {
        created_at: ago(3_600_000),
        status: 'failed',
        error_message: 'ClickHouse closed the connection: memory limit exceeded (3.00 GB)',
        checksum: null,
        size_bytes: 0,
        log_count: 0,
      }),
    );
  }
  const backups = [0.3, 1, 2, 3, 7, 14].map((days) => fakeBackup(days));
  const files = [
    ...archives.map((record) => fakeReport(record)),
    ...backups.map((backup, index) => fakeBackupReport(backup, index === 0 ? {} : WITHOUT_TRAILER)),
  ];
  const orphans = [
    fakeOrphan('file', 1),
    fakeOrphan('file', 2, { title: 'Archive file of a failed record' }),
    fakeOrphan('record', 3),
    fakeOrphan('leftover', 4),
    fakeOrphan('leftover', 5, { title: 'Partial file, possibly of a job on another machine', actions: [] }),
  ];
  const browsable = Object.fromEntries(
    archives
      .filter(({ status }) => status === 'completed')
      .map((record, index) => {
        const report = fakeReport(record);
        return [record.id, new FakeArchive({ count: 1_000_000, sealed: index % 5 !== 4, report })];
      }),
  );
  return new FakeEngine({ fractals, archives, backups, files, orphans, browsable }, installation);
}
