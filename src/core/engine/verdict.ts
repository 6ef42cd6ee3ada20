import type { ErrorReport } from '../contract/errors.ts';
import { byFileName, lastArchiveCheck } from '../policy/file-checks.ts';
import { isFuture } from '../policy/retention.ts';
import type { ArchiveRecord, Fractal } from '../ports/catalog.ts';
import type { FileCheck } from '../ports/state.ts';
import type { Timestamp } from '../ports/types.ts';
import { ageOf, formatAge } from '../text/time.ts';
import { plural } from '../text/units.ts';
import type { BackupFile, Health } from './contract.ts';

/** Whether the data is safe; `partly` if something must be done, but the last good state is not in danger. */
export type Safety = 'safe' | 'partly' | 'unsafe' | 'unknown';

/** What a finding is about, stable. */
export type FindingCode =
  | 'KEY'
  | 'BACKUP_STORAGE'
  | 'NO_BACKUP'
  | 'NO_GOOD_BACKUP'
  | 'NEWEST_BAD'
  | 'NOT_VERIFIED'
  | 'BACKUP_OLD'
  | 'OTHER_STORAGE'
  | 'TEST_RESTORE_FAILED'
  | 'TEST_RESTORE_DUE'
  | 'ARCHIVE_STORAGE'
  | 'ARCHIVES_BAD'
  | 'NOT_ARCHIVED'
  | 'ARCHIVE_OVERDUE'
  | 'DATABASE';

/** One reason why data is not, or only partly, safe. */
export interface Finding {
  code: FindingCode;
  safety: 'partly' | 'unsafe';
  /** One sentence without its full stop. */
  text: string;
}

export interface Verdict {
  safety: Safety;
  /** The worst first. */
  findings: Finding[];
  /** Newest backup that the keys open, that is complete, and in which no check found a fault; null if there is none. */
  last_good_backup: BackupFile | null;
  /** Last test restore that passed, of a backup that may be gone; null if there was none. */
  last_test_restore: { path: string; at: Timestamp } | null;
}

/** What is known of an installation; what is absent is not known yet. */
export interface VerdictFacts {
  now: Date;
  health?: Pick<Health, 'key' | 'postgres' | 'clickhouse' | 'backups' | 'archives'>;
  backups?: readonly BackupFile[];
  /** Why backups cannot be listed. */
  backups_error?: ErrorReport;
  fractals?: readonly Fractal[];
  archives?: readonly ArchiveRecord[];
  checks?: readonly FileCheck[];
}

const DAY_MS = 86_400_000;
/** Age of the last good backup: two missed daily ones, and far too old. */
const OLD_MS = 2 * DAY_MS;
const TOO_OLD_MS = 7 * DAY_MS;
/** How long a test restore counts. */
const TEST_MS = 90 * DAY_MS;
/** An archive is overdue if a whole period of its schedule was missed. */
const OVERDUE_MS: Readonly<Record<string, number>> = {
  daily: 2 * DAY_MS,
  weekly: 14 * DAY_MS,
  monthly: 62 * DAY_MS,
};

/** Answers whether the data of an installation is safe, and if not, why. */
export function judge(facts: VerdictFacts): Verdict {
  const { now, backups = [] } = facts;
  const last_good_backup = backups.find((file) => isGoodBackup(file, now)) ?? null;
  const last_test_restore = lastTestRestore(facts.checks ?? []);
  const findings = [
    ...keyFindings(facts),
    ...backupFindings(facts, last_good_backup),
    ...testFindings(facts, last_test_restore?.at),
    ...archiveFindings(facts),
    ...databaseFindings(facts),
  ].sort((a, b) => Number(a.safety === 'partly') - Number(b.safety === 'partly'));
  return { safety: safetyOf(findings, facts), findings, last_good_backup, last_test_restore };
}

function safetyOf([worst]: readonly Finding[], facts: VerdictFacts): Safety {
  if (worst?.safety === 'unsafe') return 'unsafe';
  const known = facts.health && (facts.backups || facts.backups_error) && facts.checks;
  // Without PostgreSQL its own finding says that archives are not known.
  if (!known || (facts.health?.postgres.ok && !(facts.fractals && facts.archives))) return 'unknown';
  return worst ? 'partly' : 'safe';
}

/**
 * Whether a backup can be relied on: the keys open it, it is proven to be complete by its header and trailer or by having
 * been read to its end, and no check of it failed since.
 */
export function isGoodBackup(file: BackupFile, now: Date): boolean {
  const { sealed, verified, restored, created_at } = file;
  if (faultOf(file) !== undefined || isFuture(created_at, now)) return false;
  return sealed || (verified !== null && !verified.quick) || restored !== null;
}

/** What is known to be wrong with a backup; undefined if there is no such thing. */
export function faultOf({ error, verified, restored }: BackupFile): string | undefined {
  if (error) return error.message;
  if (restored?.ok === false) return `Its test restore failed: ${restored.message}`;
  return verified?.ok === false ? verified.message : undefined;
}

function keyFindings({ health }: VerdictFacts): Finding[] {
  if (!health || health.key.ok) return [];
  return [unsafe('KEY', health.key.detail)];
}

function backupFindings(facts: VerdictFacts, good: BackupFile | null): Finding[] {
  const { backups, backups_error, health, now } = facts;
  if (backups_error) return [unsafe('BACKUP_STORAGE', backups_error.message)];
  const storage = health && !health.backups.ok ? [unsafe('BACKUP_STORAGE', health.backups.detail)] : [];
  if (!backups) return storage;
  const [newest] = backups.filter(({ created_at }) => !isFuture(created_at, now));
  if (!newest) return [...storage, unsafe('NO_BACKUP', 'There is no backup of PostgreSQL')];
  const fault = faultOf(newest);
  if (!good) return [...storage, fault ? unsafe('NO_GOOD_BACKUP', `No backup is good. ${fault}`) : UNPROVEN];
  return [
    ...storage,
    ...(fault ? [partly('NEWEST_BAD', `The newest backup is bad. ${fault}`)] : []),
    ...ageFindings(good, now),
    ...(good.id === good.name
      ? []
      : [partly('OTHER_STORAGE', `The last good backup is not where backups go now: ${good.path}`)]),
  ];
}

/** Backups of the server say less about themselves. */
const UNPROVEN = partly(
  'NOT_VERIFIED',
  'No backup is proven to be complete: none with a trailer, none verified',
);

function ageFindings({ created_at }: BackupFile, now: Date): Finding[] {
  const age = ageOf(created_at, now.getTime()) ?? 0;
  if (age <= OLD_MS) return [];
  const text = `The last good backup is ${formatAge(age)} old`;
  return [age > TOO_OLD_MS ? unsafe('BACKUP_OLD', text) : partly('BACKUP_OLD', text)];
}

function testFindings({ checks, now }: VerdictFacts, passed: Timestamp | undefined): Finding[] {
  if (!checks) return [];
  const failed = checks.filter(({ kind, error }) => kind === 'drill' && error).map(({ at }) => at);
  if (failed.some((at) => passed === undefined || at > passed))
    return [unsafe('TEST_RESTORE_FAILED', 'The last test restore failed')];
  if (passed === undefined) return [partly('TEST_RESTORE_DUE', 'No backup was ever test-restored')];
  const age = ageOf(passed, now.getTime()) ?? 0;
  return age <= TEST_MS
    ? []
    : [partly('TEST_RESTORE_DUE', `The last test restore was ${formatAge(age)} ago`)];
}

function lastTestRestore(checks: readonly FileCheck[]): Verdict['last_test_restore'] {
  const passed = checks.filter(({ kind, error }) => kind === 'drill' && !error);
  const [last] = passed.sort((a, b) => (a.at < b.at ? 1 : -1));
  return last ? { path: last.path, at: last.at } : null;
}

function archiveFindings({ fractals, archives, checks, health, now }: VerdictFacts): Finding[] {
  const storage = health && !health.archives.ok ? [unsafe('ARCHIVE_STORAGE', health.archives.detail)] : [];
  if (!fractals || !archives) return storage;
  const complete = archives.filter(isComplete);
  const bad = badArchives(complete, checks ?? []).length;
  const last = Map.groupBy(complete, ({ fractal_id }) => fractal_id);
  const with_logs = fractals.filter(({ log_count, is_system }) => log_count > 0 && !is_system);
  const never = with_logs.filter(({ id }) => !last.has(id));
  const overdue = with_logs.filter(({ id, archive_schedule }) => {
    const newest = Math.max(...(last.get(id) ?? []).map(({ created_at }) => Date.parse(created_at)));
    return now.getTime() - newest > (OVERDUE_MS[archive_schedule] ?? Number.POSITIVE_INFINITY);
  });
  const late = overdue.filter((one) => !never.includes(one));
  return [
    ...storage,
    ...(bad > 0
      ? [
          unsafe(
            'ARCHIVES_BAD',
            `${plural(bad, 'archive')} failed ${bad === 1 ? 'its' : 'their'} verification`,
          ),
        ]
      : []),
    ...(never.length > 0
      ? [partly('NOT_ARCHIVED', `${namesOf(never)} ${never.length === 1 ? 'was' : 'were'} never archived`)]
      : []),
    ...(late.length > 0
      ? [
          partly(
            'ARCHIVE_OVERDUE',
            `${namesOf(late)} ${late.length === 1 ? 'is' : 'are'} overdue for an archive`,
          ),
        ]
      : []),
  ];
}

function namesOf(fractals: readonly Fractal[]): string {
  const [only] = fractals;
  return fractals.length === 1 && only ? `Fractal ${only.name}` : plural(fractals.length, 'fractal');
}

function isComplete({ status }: ArchiveRecord): boolean {
  return status === 'completed' || status === 'restoring';
}

function badArchives(records: readonly ArchiveRecord[], checks: readonly FileCheck[]): ArchiveRecord[] {
  // Most installations have no failed check: then nothing is compared.
  const failed = checks.filter(({ error }) => error);
  if (failed.length === 0) return [];
  const by_name = byFileName(checks);
  return records.filter((record) => lastArchiveCheck(by_name, record)?.ok === false);
}

function databaseFindings({ health }: VerdictFacts): Finding[] {
  const down = [
    ...(health?.postgres.ok === false ? ['PostgreSQL'] : []),
    ...(health?.clickhouse.ok === false ? ['ClickHouse'] : []),
  ];
  return down.length > 0 ? [partly('DATABASE', `${down.join(' and ')} cannot be reached`)] : [];
}

function unsafe(code: FindingCode, text: string): Finding {
  return { code, safety: 'unsafe', text };
}

function partly(code: FindingCode, text: string): Finding {
  return { code, safety: 'partly', text };
}
