import type { Health, PartHealth } from '../../../core/index.ts';
import { sanitize } from '../../../core/text/sanitize.ts';
import { formatBytes } from '../../text/display.ts';
import { bodyHeight } from '../../text/layout.ts';
import type { Line, Span } from '../../text/line.ts';
import { wrap } from '../../text/text.ts';
import { verdictOf } from '../overview/verdict.ts';
import { keyIdOf } from '../snapshot.ts';
import type { Loaded, Snapshot } from '../types.ts';
import { field, heading, longField } from './fields.ts';

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

/** Where the data is, whether each part works, why data is not safe, and what could not be cleaned up. */
export function healthPage(snapshot: Snapshot): readonly Line[] {
  const parts = [findingLines(snapshot), installationLines(snapshot), healthLines(snapshot)];
  const tight = parts.reduce((sum, part) => sum + part.length, 0) + parts.length > bodyHeight(snapshot);
  return parts.flatMap((part, index) => (tight || index === 0 ? part : [[], ...part]));
}

/** All that the verdict found, in full. */
function findingLines(snapshot: Snapshot): Line[] {
  const { columns, symbols } = snapshot;
  const { findings } = verdictOf(snapshot);
  if (findings.length === 0) return [];
  return [
    heading('Why the data is not safe', columns, symbols),
    ...findings.flatMap(({ text, safety }) =>
      wrap(text, columns - 5).map((line, index): Line => {
        const unsafe = safety === 'unsafe';
        const symbol = unsafe ? symbols.bad : symbols.warn;
        return [{ text: `  ${index === 0 ? symbol : ' '} ${line}`, tone: unsafe ? 'bad' : 'warn' }];
      }),
    ),
  ];
}
