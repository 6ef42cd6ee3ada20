import {
  type BackupFile,
  type Finding,
  type FindingCode,
  faultOf,
  judge,
  type Safety,
  type Verdict,
} from '../../../core/index.ts';
import { ageOf, formatAgo, formatStamp } from '../../../core/text/time.ts';
import { plural } from '../../../core/text/units.ts';
import { formatBytes } from '../../text/display.ts';
import type { Span, Tone } from '../../text/line.ts';
import type { Symbols } from '../../text/symbols.ts';
import { baseName, wrap } from '../../text/text.ts';
import { memo } from '../snapshot.ts';
import type { DataState, Screen, Snapshot } from '../types.ts';
import { labeled, marked, missing, type OverviewLine } from './line.ts';

const MINUTE = 60_000;

/** Judged again when something was loaded, and every minute. */
const judged = memo(
  (
    { value: health }: DataState['health'],
    { value: backups, error }: DataState['backups'],
    fractals: DataState['fractals']['value'],
    archives: DataState['archives']['value'],
    checks: DataState['checks']['value'],
    minute: number,
  ): Verdict =>
    judge({
      now: new Date(minute * MINUTE),
      ...(health && { health }),
      ...(backups && { backups }),
      ...(error && { backups_error: error }),
      ...(fractals && { fractals }),
      ...(archives && { archives }),
      ...(checks && { checks }),
    }),
);

/** Whether the data is safe. */
export function verdictOf({ data, now }: Pick<Snapshot, 'data' | 'now'>): Verdict {
  const { health, backups, fractals, archives, checks } = data;
  // Rounded up: what was made in this minute is not in the future.
  const minute = Math.ceil(now / MINUTE);
  return judged(health, backups, fractals.value, archives.value, checks.value, minute);
}

const HEADLINES: Record<Safety, { text: string; tone: Tone; symbol(symbols: Symbols): string }> = {
  safe: { text: 'Your data is safe', tone: 'good', symbol: ({ ok }) => ok },
  partly: { text: 'Your data is only partly safe', tone: 'warn', symbol: ({ warn }) => warn },
  unsafe: { text: 'Your data is NOT safe', tone: 'bad', symbol: ({ bad }) => bad },
  unknown: { text: 'Checking whether your data is safe', tone: 'dim', symbol: ({ dot }) => dot },
};

/** The verdict, and the reasons why data is not safe: at most `limit` of them. */
export function verdictLines(snapshot: Snapshot, limit: number): OverviewLine[] {
  const { columns, symbols } = snapshot;
  const verdict = verdictOf(snapshot);
  const { text, tone, symbol } = HEADLINES[verdict.safety];
  const shown = verdict.findings.slice(0, limit);
  const more = verdict.findings.length - shown.length;
  const [first] = verdict.findings;
  const headline: OverviewLine = {
    id: 'verdict',
    spans: [
      { text: ` ${symbol(symbols)} ${text}`, tone, bold: true },
      { text: more > 0 ? `  ${plural(more, 'more reason')}: Enter` : '', tone: 'dim' },
    ],
    target: more > 0 || !first ? { name: 'health' } : targetOf(first, verdict, snapshot),
  };
  return [headline, ...shown.map((finding) => findingLine(finding, verdict, snapshot, columns))];
}

function findingLine(finding: Finding, verdict: Verdict, snapshot: Snapshot, columns: number): OverviewLine {
  const { symbols, read_only } = snapshot;
  const [symbol, tone] =
    finding.safety === 'unsafe' ? ([symbols.bad, 'bad'] as const) : ([symbols.warn, 'warn'] as const);
  const fix = read_only ? undefined : FIXES[finding.code];
  const room = columns - (fix ? fix.length + 10 : 6);
  const [text = '', ...cut] = wrap(finding.text, Math.max(20, room));
  return {
    id: `finding:${finding.code}`,
    spans: [
      { text: `   ${symbol} ${text}${cut.length > 0 ? symbols.ellipsis : ''}`, tone },
      { text: fix ? `  (${fix})` : '', tone: 'dim' },
    ],
    target: targetOf(finding, verdict, snapshot),
  };
}

/** What to press, where a key is enough. */
const FIXES: Readonly<Partial<Record<FindingCode, string>>> = {
  NO_BACKUP: 'press b',
  BACKUP_OLD: 'press b',
  NOT_VERIFIED: 'Enter, then v',
  OTHER_STORAGE: 'press b, or Enter, then C',
  TEST_RESTORE_DUE: 'Enter, then R',
  NOT_ARCHIVED: 'Enter, then a',
  ARCHIVE_OVERDUE: 'Enter, then a',
};

function targetOf({ code }: Finding, verdict: Verdict, { data }: Snapshot): Screen {
  const backup = (file: BackupFile | null | undefined): Screen =>
    file ? { name: 'backup', subject: file.id } : { name: 'backups' };
  switch (code) {
    case 'NO_GOOD_BACKUP':
    case 'NEWEST_BAD':
    case 'NOT_VERIFIED':
      return backup(data.backups.value?.[0]);
    case 'TEST_RESTORE_DUE':
      return backup(verdict.last_good_backup);
    case 'NO_BACKUP':
    case 'BACKUP_OLD':
    case 'OTHER_STORAGE':
    case 'TEST_RESTORE_FAILED':
      return { name: 'backups' };
    case 'ARCHIVES_BAD':
      return { name: 'archives' };
    case 'NOT_ARCHIVED':
    case 'ARCHIVE_OVERDUE':
      return { name: 'fractals' };
    case 'KEY':
    case 'BACKUP_STORAGE':
    case 'ARCHIVE_STORAGE':
    case 'DATABASE':
      return { name: 'health' };
  }
}

/** The last good backup, and the last test restore. */
export function backupLines(snapshot: Snapshot): OverviewLine[] {
  const { data, symbols, now } = snapshot;
  const { last_good_backup: good } = verdictOf(snapshot);
  const none = missing(data.backups);
  const [newest] = data.backups.value ?? [];
  const target: Screen = newest ? { name: 'backup', subject: (good ?? newest).id } : { name: 'backups' };
  const line = (...value: Span[]) => labeled('backup', 'Last backup', target, ...value);
  const others = otherStorageLine(snapshot);
  const { error } = data.backups;
  // What was listed before may be gone.
  if (error) return [line(...marked(symbols.bad, 'bad', error.message)), testLine(snapshot)];
  if (none) return [line(none), testLine(snapshot)];
  if (!newest) return [line(...marked(symbols.bad, 'bad', 'none')), testLine(snapshot)];
  if (!good) {
    const fault = faultOf(newest) ?? 'not proven to be complete';
    const age = formatAgo(ageOf(newest.created_at, now) ?? 0);
    return [line(...marked(symbols.bad, 'bad', `${age}: ${fault}`)), testLine(snapshot), ...others];
  }
  const ago = formatAgo(ageOf(good.created_at, now) ?? 0);
  return [
    line(
      ...marked(symbols.ok, 'good', ago),
      { text: `, ${formatBytes(good.size_bytes)}` },
      { text: `, ${verifiedText(good, now)}`, tone: 'dim' },
    ),
    testLine(snapshot),
    ...others,
  ];
}

function verifiedText({ verified }: BackupFile, now: number): string {
  if (!verified || verified.quick) return 'header and trailer intact; not read in full yet';
  return `read in full ${formatAgo(ageOf(verified.at, now) ?? 0)}`;
}

function testLine(snapshot: Snapshot): OverviewLine {
  const { data, symbols, now } = snapshot;
  const { last_test_restore: last, last_good_backup: good } = verdictOf(snapshot);
  const target: Screen = good ? { name: 'backup', subject: good.id } : { name: 'backups' };
  const line = (...value: Span[]) => labeled('test', 'Test restore', target, ...value);
  const none = missing(data.checks);
  if (none) return line(none);
  if (!last) return line(...marked(symbols.warn, 'warn', 'never'));
  const of = data.backups.value?.find(({ path }) => path === last.path);
  const what = of
    ? `of the backup of ${formatStamp(of.created_at)}`
    : `of ${baseName(last.path)}, which is gone`;
  return line(...marked(symbols.ok, 'good', `${formatAgo(ageOf(last.at, now) ?? 0)}, `), {
    text: what,
    tone: 'dim',
  });
}

/** Backups that are not where backups go now: copies, or those from before the storage was changed. */
function otherStorageLine({ data }: Snapshot): OverviewLine[] {
  const others = (data.backups.value ?? []).filter(({ id, name }) => id !== name);
  const [first] = others;
  if (!first) return [];
  const folder = first.path.slice(0, first.path.lastIndexOf('/'));
  const text = `${plural(others.length, 'backup')} in ${folder}, where backups do not go now`;
  return [labeled('other', 'Elsewhere', { name: 'backups' }, { text })];
}
