import type { Health, PartHealth } from '../../../core/index.ts';
import { sanitize } from '../../../core/text/sanitize.ts';
import { ageOf, formatAgo } from '../../../core/text/time.ts';
import { formatCount, formatPercent, plural } from '../../../core/text/units.ts';
import { formatBytes } from '../../text/display.ts';
import { bodyHeight } from '../../text/layout.ts';
import type { Line, Span } from '../../text/line.ts';
import { fit } from '../../text/text.ts';
import { jobBar, jobEnd, jobEta, jobSpeed, jobState } from '../jobs.ts';
import { fractalRecords } from '../lists/fractals.ts';
import { keyIdOf } from '../snapshot.ts';
import type { Loaded, Snapshot } from '../types.ts';
import { field, heading, longField } from './fields.ts';

const RESULTS = 3;
const DAY = 86_400_000;

function installationLines(snapshot: Snapshot): Line[] {
  const { installation, columns, symbols, data } = snapshot;
  const key_id = keyIdOf(snapshot);
  const archives = archiveFolder(data.health.value?.archives.location);
  return [
    heading('Installation', columns, symbols),
    field('Directory', { text: installation.dir }),
    field('Key', key_id ? { text: key_id } : { text: 'none', tone: 'bad' }),
    field('Backups go to', { text: installation.storage }),
    ...(archives && archives !== installation.storage ? [field('Archives go to', { text: archives })] : []),
  ];
}

/** Archives are in a folder of their own below the root of their storage. */
function archiveFolder(location: string | undefined): string | undefined {
  return location?.startsWith('/') ? `${location.replace(/\/$/, '')}/archives` : location;
}

function partLines(health: Health, { symbols, columns }: Snapshot): Line[] {
  const parts: [string, Health['backups'] | PartHealth][] = [
    ...(health.release ? [['Release', health.release] as [string, PartHealth]] : []),
    ['PostgreSQL', health.postgres],
    ['ClickHouse', health.clickhouse],
    ['Backups', health.backups],
    ['Archives', health.archives],
    ['Key', health.key],
  ];
  const lines = parts.flatMap(([name, part]) => {
    if (!part.ok) return longField(name, `${symbols.bad} ${part.detail}`, columns, 'bad');
    const free =
      'free_bytes' in part && part.free_bytes !== undefined ? `, ${formatBytes(part.free_bytes)} free` : '';
    const [first = [], ...rest] = longField(name, `${symbols.ok} ${part.detail}${free}`, columns);
    const [label, text] = first;
    if (!label || !text) return [];
    const good = { text: symbols.ok, tone: 'good' } as const;
    return [[label, good, { text: text.text.slice(symbols.ok.length) }], ...rest];
  });
  return [...lines, ...serverArchiveLines(health, { symbols, columns })];
}

/** The server's own archive, if it is enabled. */
function serverArchiveLines(
  { server_archive }: Health,
  { symbols, columns }: Pick<Snapshot, 'symbols' | 'columns'>,
): Line[] {
  if (!server_archive) return [];
  const { stale, detail } = server_archive;
  return longField(
    'Iceberg',
    `${stale ? symbols.warn : symbols.ok} ${detail}`,
    columns,
    stale ? 'warn' : 'plain',
  );
}

/** What could not be cleaned up after interrupted jobs, and what to do. */
function leftoverLines({ leftovers }: Health, columns: number): Line[] {
  return leftovers.flatMap(({ job, message, hint }) =>
    longField('Not cleaned up', sanitize(`${job}: ${message}. ${hint}`), columns, 'warn'),
  );
}

/** Placeholder for a value that is loading or failed to load. */
function missing(loaded: Loaded<unknown>): Span | undefined {
  if (loaded.value !== undefined) return undefined;
  return loaded.error ? { text: loaded.error.message, tone: 'bad' } : { text: 'loading…', tone: 'dim' };
}

function healthLines(snapshot: Snapshot): Line[] {
  const { columns, symbols, data } = snapshot;
  const none = missing(data.health);
  const head = heading('Health', columns, symbols);
  const health = data.health.value;
  if (health) return [head, ...partLines(health, snapshot), ...leftoverLines(health, columns)];
  return [head, ...(none ? [field('', none)] : [])];
}

function backupLine({ data, now }: Snapshot): Line {
  const none = missing(data.backups);
  if (none) return field('Last backup', none);
  const [last] = data.backups.value ?? [];
  if (!last) return field('Last backup', { text: 'never; press b to create one', tone: 'warn' });
  const age = ageOf(last.created_at, now) ?? 0;
  return field(
    'Last backup',
    { text: formatAgo(age), tone: age > 2 * DAY ? 'warn' : 'good' },
    { text: `, ${formatBytes(last.size_bytes)}` },
  );
}

function fractalLine(snapshot: Snapshot): Line {
  const none = missing(snapshot.data.fractals);
  if (none) return field('Fractals', none);
  const fractals = fractalRecords(snapshot);
  const logs = fractals.reduce((sum, fractal) => sum + fractal.log_count, 0);
  const size = fractals.reduce((sum, fractal) => sum + fractal.size_bytes, 0);
  const never = fractals.filter((fractal) => !fractal.last && fractal.log_count > 0).length;
  return field(
    'Fractals',
    { text: `${plural(fractals.length, 'fractal')}, ${formatCount(logs)} rows, ${formatBytes(size)}` },
    { text: never > 0 ? `, ${formatCount(never)} never archived` : '', tone: 'warn' },
  );
}

function archiveLine({ data }: Snapshot): Line {
  const none = missing(data.archives);
  if (none) return field('Archives', none);
  const archives = data.archives.value ?? [];
  const count = (status: string) => archives.filter((archive) => archive.status === status).length;
  const [failed, active] = [count('failed'), count('in_progress')];
  return field(
    'Archives',
    { text: `${formatCount(count('completed'))} completed` },
    { text: active > 0 ? `, ${formatCount(active)} in progress` : '', tone: 'info' },
    { text: failed > 0 ? `, ${formatCount(failed)} failed` : '', tone: 'bad' },
  );
}

function jobLines(snapshot: Snapshot): Line[] {
  const { jobs, columns, symbols } = snapshot;
  const running = jobs.filter((job) => job.ended_at === undefined);
  const ended = jobs.filter((job) => job.ended_at !== undefined).slice(0, RESULTS);
  const name = Math.max(16, Math.min(40, columns - 62));
  const empty = {
    text: '  No jobs yet. Press b to start a backup, or 2 to list the fractals.',
    tone: 'dim',
  } as const;
  return [
    heading('Jobs', columns, symbols),
    ...running.map((job): Line => {
      const part = job.fraction === undefined ? '    ?' : formatPercent(job.fraction).padStart(5);
      const left = job.eta_ms === undefined ? '' : `  ${jobEta(job)} left`;
      return [
        { text: `  ${fit(jobState(job, snapshot).text, 13)}`, tone: jobState(job, snapshot).tone },
        { text: `${fit(job.title, name)} ` },
        ...jobBar(job, 16, snapshot),
        { text: part },
        { text: `  ${jobSpeed(job)}${left}`, tone: 'dim' },
      ];
    }),
    ...ended.map((job): Line => {
      const state = jobState(job, snapshot);
      const end = formatAgo(snapshot.now - (job.ended_at ?? 0));
      return [
        { text: `  ${state.text.slice(0, 1)} `, tone: state.tone },
        { text: sanitize(jobEnd(job).text) },
        { text: `  ${end}`, tone: 'dim' },
      ];
    }),
    ...(running.length + ended.length === 0 ? [[empty]] : []),
  ];
}

/** Overview of the installation: health, protection, jobs. */
export function overviewPage(snapshot: Snapshot): readonly Line[] {
  const { columns, symbols } = snapshot;
  const protection = [
    heading('Protection', columns, symbols),
    backupLine(snapshot),
    fractalLine(snapshot),
    archiveLine(snapshot),
  ];
  const parts = [installationLines(snapshot), healthLines(snapshot), protection, jobLines(snapshot)];
  const tight = parts.reduce((sum, part) => sum + part.length, 0) + parts.length > bodyHeight(snapshot);
  return parts.flatMap((part, index) => (tight || index === 0 ? part : [[], ...part]));
}
