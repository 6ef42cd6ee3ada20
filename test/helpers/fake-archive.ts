import type {
  ArchiveBrowser,
  ArchiveRecord,
  BackupFile,
  BrowsedRow,
  FileReport,
  MatchedRows,
  Orphan,
  SearchPattern,
} from '../../src/core/index.ts';

const START = Date.parse('2026-03-01T00:00:00Z');
const DAY = 86_400_000;
/** Rows searched between checks of the signal. */
const SLICE = 20_000;

/** The report of a sealed archive file; `given` overrides. */
export function fakeReport(record: ArchiveRecord | null, given: Partial<FileReport> = {}): FileReport {
  const name = record?.storage_path ?? 'archives/lost/lost.bifract-archive';
  return {
    path: `/archives/${name}`,
    name,
    storage_type: 'disk',
    size_bytes: record?.size_bytes ?? 1_000,
    kind: 'archive',
    key_id: '9f31c2a4',
    sealed: true,
    uuid: '6f0d2f0e-8a51-4c1d-9d35-1c1a8a1f7a11',
    tool: 'bifract-console 0.1.0',
    created_at: record?.created_at ?? '2026-03-01T12:00:00Z',
    fractal: { id: record?.fractal_id ?? 'lost', name: record?.fractal_name ?? null },
    period: null,
    split: 'none',
    fields: true,
    raw_from: 'logs',
    columns: null,
    rows: record?.log_count ?? 0,
    content_bytes: (record?.size_bytes ?? 1_000) * 9,
    content_sha256: 'cd34'.repeat(16),
    first: record?.time_range_start ?? null,
    last: record?.time_range_end ?? null,
    frames: 412,
    backup: null,
    record,
    notes: [],
    ...given,
  };
}

/** The report of a sealed backup file; `given` overrides. */
export function fakeBackupReport(
  { name, path, size_bytes, created_at }: BackupFile,
  given: Partial<FileReport> = {},
): FileReport {
  const tables = ['alerts', 'archives', 'fractals', 'notebooks', 'saved_searches', 'settings', 'users'];
  return {
    ...fakeReport(null),
    path,
    name,
    size_bytes,
    created_at,
    kind: 'backup',
    fractal: null,
    rows: null,
    content_bytes: size_bytes * 7,
    fields: null,
    raw_from: null,
    columns: null,
    backup: {
      version: '0.1.0',
      timestamp: created_at,
      server_version: '16.4',
      pg_dump_version: '16.4',
      database: 'bifract',
      tables: tables.map((name, index) => ({
        schema: 'public',
        name,
        rows: 17 ** index % 90_001,
        checksum: true,
      })),
      variables: ['BIFRACT_PORT', 'CLICKHOUSE_HOST', 'POSTGRES_HOST', 'POSTGRES_PASSWORD'],
    },
    ...given,
  };
}

/** An orphan; `given` overrides. */
export function fakeOrphan(kind: Orphan['kind'], seed: number, given: Partial<Orphan> = {}): Orphan {
  const name = `archives/f${seed}/f${seed}-20260301-12000${seed % 10}.bifract-archive`;
  const titles = {
    file: 'Archive file without a record',
    record: 'Record whose file is missing',
    leftover: 'Unfinished file of a run that was interrupted',
  };
  const actions = { file: ['adopt'], record: ['fail_record'], leftover: ['discard'] } as const;
  return {
    kind,
    place: 'archives',
    id: kind === 'file' ? name : `${kind}-${seed}`,
    title: titles[kind],
    path: `/archives/${name}`,
    size_bytes: seed * 10_000_000,
    since: new Date(Date.now() - seed * DAY).toISOString(),
    fractal_name: kind === 'leftover' ? null : `fractal-${seed}`,
    actions: [...actions[kind]],
    ...given,
  };
}

/** A plausible log line. */
export function fakeLine(index: number): string {
  const host = `web-${index % 7}`;
  const level = index % 1_000 === 999 ? 'ERROR upstream timed out' : 'INFO request served';
  return `${host} nginx[${1_000 + (index % 13)}]: ${level} path=/api/v1/items/${index} status=${index % 1_000 === 999 ? 504 : 200} duration=${index % 97}ms`;
}

interface FakeRows {
  count: number;
  raw?: (index: number) => string;
  fields?: (index: number) => string | null;
  /** If false, the number of rows is known only once the last one has been read. */
  sealed?: boolean;
  report?: FileReport;
}

/** An archive with any number of generated rows, one per second. It counts its calls. */
export class FakeArchive implements ArchiveBrowser {
  readonly report: FileReport;
  complete: boolean;
  closed = false;
  reads = 0;
  rowsRead = 0;
  aborted = 0;
  /** Reads wait for this. */
  readGate: Promise<void> = Promise.resolve();
  /** Searches and jumps wait for this. */
  workGate: Promise<void> = Promise.resolve();
  /** Passes over all matches wait for this. */
  countGate: Promise<void> = Promise.resolve();
  /** Thrown by reads. */
  failure: Error | undefined;
  readonly #rows: Required<Omit<FakeRows, 'report'>>;
  #seen = 0;

  constructor({
    count,
    raw = fakeLine,
    fields = (index) => fieldsOf(index),
    sealed = true,
    report,
  }: FakeRows) {
    this.#rows = { count, raw, fields, sealed };
    this.complete = sealed;
    this.report = report ?? fakeReport(null, { rows: sealed ? count : null, sealed });
  }

  get rows(): number {
    return this.complete ? this.#rows.count : this.#seen;
  }

  timeOf(index: number): string {
    return new Date(START + index * 1_000).toISOString();
  }

  async read(from: number, count: number, { signal }: { signal?: AbortSignal } = {}): Promise<BrowsedRow[]> {
    this.reads += 1;
    await this.readGate;
    signal?.throwIfAborted();
    if (this.failure) throw this.failure;
    const to = Math.min(this.#rows.count, from + count);
    this.#markRead(to, from + count);
    this.rowsRead += Math.max(0, to - from);
    return Array.from({ length: Math.max(0, to - from) }, (_, at) => this.#row(from + at));
  }

  async at(time: string, { signal }: { signal?: AbortSignal } = {}): Promise<number> {
    await this.workGate;
    signal?.throwIfAborted();
    const index = Math.ceil((Date.parse(time) - START) / 1_000);
    const found = Math.max(0, Math.min(this.#rows.count, index));
    this.#markRead(found, index);
    return found;
  }

  async find(
    pattern: SearchPattern,
    from: number,
    direction: 'next' | 'previous',
    { signal }: { signal?: AbortSignal } = {},
  ): Promise<number | null> {
    await Promise.race([this.workGate, aborted(signal)]);
    if (signal?.aborted) this.aborted += 1;
    signal?.throwIfAborted();
    const matches = matcher(pattern);
    const step = direction === 'next' ? 1 : -1;
    for (let index = from; index >= 0 && index < this.#rows.count; index += step) {
      if (matches(this.#rows.raw(index))) return index;
      if (index % SLICE === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    return null;
  }

  async *matches(
    pattern: SearchPattern,
    { signal }: { signal?: AbortSignal } = {},
  ): AsyncGenerator<MatchedRows> {
    const matches = matcher(pattern);
    for (let from = 0; from < this.#rows.count; from += SLICE) {
      await Promise.race([this.countGate, aborted(signal)]);
      signal?.throwIfAborted();
      if (this.failure) throw this.failure;
      const searched = Math.min(this.#rows.count, from + SLICE);
      const rows = Array.from({ length: searched - from }, (_, at) => from + at).filter((row) =>
        matches(this.#rows.raw(row)),
      );
      yield { matches: rows.map((row) => ({ row, line: this.#line(row) })), searched };
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async close(): Promise<void> {
    this.closed = true;
  }

  #line(index: number): Buffer {
    const { ts, raw, id, fields } = this.#row(index);
    const parsed: unknown = fields === null ? undefined : JSON.parse(fields);
    return Buffer.from(JSON.stringify({ ts, raw, id, fields: parsed }));
  }

  #markRead(to: number, requested: number): void {
    this.#seen = Math.max(this.#seen, to);
    if (requested > this.#rows.count) this.complete = true;
  }

  #row(index: number): BrowsedRow {
    const raw = this.#rows.raw(index);
    const ts = this.timeOf(index);
    return {
      index,
      ts,
      id: `id-${index}`,
      raw,
      raw_bytes: Buffer.byteLength(raw),
      text_from: 'raw',
      fields: this.#rows.fields(index),
      cols: null,
      ingest_timestamp: ts,
    };
  }
}

function aborted(signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => signal?.addEventListener('abort', () => resolve(), { once: true }));
}

function fieldsOf(index: number): string {
  return JSON.stringify({
    host: `web-${index % 7}`,
    http: { status: '200', path: `/api/v1/items/${index}` },
  });
}

function matcher(pattern: SearchPattern): (raw: string) => boolean {
  if ('regex' in pattern) {
    const regex = new RegExp(pattern.regex, pattern.flags);
    return (raw) => regex.test(raw);
  }
  const { text } = pattern;
  return (raw) => (text === text.toLowerCase() ? raw.toLowerCase() : raw).includes(text);
}
