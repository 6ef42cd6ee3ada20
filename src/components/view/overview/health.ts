import type { Health } from '../../../core/index.ts';
import { plural } from '../../../core/text/units.ts';
import { formatBytes } from '../../text/display.ts';
import type { Span } from '../../text/line.ts';
import type { Symbols } from '../../text/symbols.ts';
import { keyIdOf } from '../snapshot.ts';
import type { Snapshot } from '../types.ts';
import { labeled, marked, missing, type OverviewLine } from './line.ts';

const PAGE = { name: 'health' } as const;

/** Key, storage and databases, one line each. Their page has the details. */
export function healthLines(snapshot: Snapshot): OverviewLine[] {
  const { data, symbols, installation } = snapshot;
  const health = data.health.value;
  const none = missing(data.health);
  const key_id = keyIdOf(snapshot);
  if (!health) {
    const key: Span = key_id ? { text: key_id } : { text: 'none', tone: 'bad' };
    return [
      labeled('key', 'Key', PAGE, key),
      labeled('storage', 'Storage', PAGE, { text: installation.storage }),
      labeled('databases', 'Databases', PAGE, none ?? { text: '' }),
    ];
  }
  const { key } = health;
  return [
    labeled(
      'key',
      'Key',
      PAGE,
      ...state(key.ok, key.ok ? (key_id ?? '') : key.detail, symbols),
      oldKeys(health),
    ),
    ...storageLines(health, snapshot),
    labeled('databases', 'Databases', PAGE, ...databases(health, symbols)),
    ...serverArchiveLine(health, symbols),
    ...leftoverLine(health, symbols),
  ];
}

function state(ok: boolean, text: string, symbols: Symbols): Span[] {
  return ok ? marked(symbols.ok, 'good', text) : marked(symbols.bad, 'bad', text);
}

function oldKeys({ key }: Health): Span {
  const old = key.known_ids.length - 1;
  return { text: old > 0 ? `, and ${plural(old, 'earlier key')} for older files` : '', tone: 'dim' };
}

/** Backups and archives, on one line if they are in one place and both in order. */
function storageLines({ backups, archives }: Health, { symbols }: Snapshot): OverviewLine[] {
  const lines = [
    { id: 'backups', label: 'Backup storage', part: backups },
    { id: 'archives', label: 'Archive storage', part: archives },
  ];
  const same = backups.location === archives.location && backups.ok && archives.ok;
  const shown = same ? [{ id: 'storage', label: 'Storage', part: backups }] : lines;
  return shown.map(({ id, label, part }) => {
    const free = part.free_bytes === undefined ? '' : `, ${formatBytes(part.free_bytes)} free`;
    return labeled(id, label, PAGE, ...state(part.ok, part.ok ? part.location : part.detail, symbols), {
      text: part.ok ? free : '',
      tone: 'dim',
    });
  });
}

function databases({ postgres, clickhouse }: Health, symbols: Symbols): Span[] {
  const failed = [postgres, clickhouse].find(({ ok }) => !ok);
  if (failed) return marked(symbols.bad, 'bad', failed.detail);
  const version = ({ detail }: Health['postgres']) => /^[\d.]+/.exec(detail)?.[0] ?? '';
  return marked(symbols.ok, 'good', `PostgreSQL ${version(postgres)}, ClickHouse ${version(clickhouse)}`);
}

/** The server's own archive, if it is enabled. */
function serverArchiveLine({ server_archive }: Health, symbols: Symbols): OverviewLine[] {
  if (!server_archive) return [];
  const { stale, detail } = server_archive;
  const value = stale ? marked(symbols.warn, 'warn', detail) : marked(symbols.ok, 'good', detail);
  return [labeled('iceberg', 'Iceberg', PAGE, ...value)];
}

/** What could not be cleaned up after interrupted jobs. */
function leftoverLine({ leftovers }: Health, symbols: Symbols): OverviewLine[] {
  const [first] = leftovers;
  if (!first) return [];
  const text = leftovers.length === 1 ? `${first.job}: ${first.message}` : plural(leftovers.length, 'job');
  return [labeled('leftovers', 'Not cleaned up', PAGE, ...marked(symbols.warn, 'warn', text))];
}
