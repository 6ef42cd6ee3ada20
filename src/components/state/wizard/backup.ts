import type { JobRequest } from '../../../core/index.ts';
import { replacesDatabase } from '../../view/wizard/backup-pages.ts';
import { restoreLosses } from '../../view/wizard/restore-plan.ts';
import type { BackupWizard } from '../../view/wizard/types.ts';
import { openPrompt, type Question } from '../dialogs.ts';
import type { Session } from '../session.ts';

const NO_CONSENT = { safety_backup: false, end_sessions: false, stop_app: false } as const;

/** PostgreSQL truncates longer names. */
const MAX_NAME_BYTES = 63;

/** The initial state of the restore of a backup. */
export function newBackupWizard(source: string): BackupWizard {
  return {
    kind: 'backup',
    source,
    step: 'file',
    index: 0,
    top: 0,
    target: { kind: 'drill' },
    no_owner: false,
    no_privileges: false,
    no_tablespaces: false,
    consent: { safety_backup: true, end_sessions: false, stop_app: false },
  };
}

/** Prompts for the name of a new database. */
export function promptDatabase(session: Session, submit: (database: string) => void) {
  openPrompt(session, {
    prefix: 'database',
    hint: 'name of the new database',
    text: 'bifract_restored',
    submit(text) {
      const database = text.trim();
      const bytes = Buffer.byteLength(database);
      if (bytes === 0) return 'Enter a name';
      if (bytes > MAX_NAME_BYTES) return `Names are limited to ${MAX_NAME_BYTES} bytes`;
      submit(database);
      return undefined;
    },
  });
}

export function backupRequest({ plan, consent }: BackupWizard): JobRequest | undefined {
  if (!plan) return undefined;
  if (plan.target.kind === 'drill') return { kind: 'drill', plan };
  return { kind: 'restore', plan, consent: plan.target.kind === 'live' ? consent : NO_CONSENT };
}

export function backupQuestion(wizard: BackupWizard, now: number): Question {
  const { plan } = wizard;
  if (replacesDatabase(wizard)) {
    return {
      title: `Replace the database ${plan?.database}?`,
      tone: 'bad',
      lines: consequences(wizard, now),
      confirmation: plan?.database ?? '',
      answer: 'Replace database',
    };
  }
  const drill = plan?.target.kind === 'drill';
  return {
    title: drill ? 'Run the test restore?' : `Restore into ${plan?.database}?`,
    tone: 'info',
    lines: [
      drill
        ? 'The live database is not changed; the scratch database is dropped afterwards.'
        : 'The live database is not changed.',
    ],
    answer: drill ? 'Run test restore' : 'Restore',
  };
}

/** What replacing the live database means. */
function consequences({ plan, consent }: BackupWizard, now: number): string[] {
  const running = plan?.containers.filter((one) => one.running).map(({ name }) => name) ?? [];
  return [
    plan ? `Will be lost: ${restoreLosses(plan, now)}.` : '',
    'Nothing changes until the final swap; until then you can cancel the job.',
    consent.safety_backup
      ? 'A safety backup is made first.'
      : 'NO safety backup is made: this cannot be undone.',
    consent.end_sessions ? 'Active sessions are disconnected.' : '',
    consent.stop_app && running.length > 0 ? `Stopped during the restore: ${running.join(', ')}.` : '',
  ].filter(Boolean);
}
