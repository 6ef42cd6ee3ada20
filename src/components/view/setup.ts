import type { PartHealth } from '../../core/index.ts';
import type { Snapshot } from './types.ts';

/** What to do about a part that does not work. */
export interface SetupStep {
  /** When to do it. */
  when: string;
  /** A shell command, or a line for `.env`. */
  command: string;
}

/** A part of the installation that the console needs. */
export interface SetupPart {
  name: string;
  ok: boolean;
  detail: string;
  steps: readonly SetupStep[];
}

const PLAIN = /^[\w./@%+=:,-]+$/;

/** An argument for a POSIX shell. */
export function shellQuoted(text: string): string {
  return PLAIN.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** Whether there is no installation that can be read. */
export function isNotInstalled({ data }: Pick<Snapshot, 'data'>): boolean {
  const { code } = data.health.error ?? {};
  return code === 'ENV_MISSING' || code === 'ENV_INVALID';
}

function missingInstallation({ data, installation }: Snapshot): SetupPart {
  const { code = '', message = '', hint } = data.health.error ?? {};
  const dir = shellQuoted(installation.dir);
  const elsewhere = { when: 'Bifract is in another directory', command: 'bifract --dir DIRECTORY' };
  const create = {
    when: 'This machine is new, and will get the backups of another one',
    command: `bifract init --dir ${dir}`,
  };
  const check = { when: 'After you have corrected .env', command: `bifract status --dir ${dir}` };
  const detail = hint ? `${message}. ${hint}` : message;
  return {
    name: 'Installation',
    ok: false,
    detail,
    steps: code === 'ENV_MISSING' ? [elsewhere, create] : [check],
  };
}

/** The parts of the installation, and what to do about those that do not work; undefined before they are known. */
export function setupParts(snapshot: Snapshot): readonly SetupPart[] | undefined {
  if (isNotInstalled(snapshot)) return [missingInstallation(snapshot)];
  const health = snapshot.data.health.value;
  if (!health) return undefined;
  const dir = shellQuoted(snapshot.installation.dir);
  const start = (service: string): SetupStep => ({
    when: 'It runs in Docker and is stopped',
    command: `docker compose --project-directory ${dir} up -d ${service}`,
  });
  const part = (name: string, { ok, detail }: PartHealth, ...steps: SetupStep[]): SetupPart => ({
    name,
    ok,
    detail,
    steps: ok ? [] : steps,
  });
  return [
    part(
      'Key',
      health.key,
      {
        when: 'There is a key: copy it into .env',
        command: 'BIFRACT_BACKUP_ENCRYPTION_KEY=<64 hexadecimal digits>',
      },
      {
        when: 'Nothing was ever backed up with a key: create one',
        command: `bifract init --dir ${dir}`,
      },
    ),
    part('PostgreSQL', health.postgres, start('postgres')),
    part('ClickHouse', health.clickhouse, start('clickhouse')),
    part('Backups', health.backups, { when: 'Details', command: `bifract status --dir ${dir}` }),
    part('Archives', health.archives, { when: 'Details', command: `bifract status --dir ${dir}` }),
  ];
}

/** Whether nothing can be done here yet: no installation, no key, or neither database can be reached. */
export function isUnusable(snapshot: Snapshot): boolean {
  const { value } = snapshot.data.health;
  if (!value) return isNotInstalled(snapshot);
  return !value.key.ok || (!value.postgres.ok && !value.clickhouse.ok);
}
