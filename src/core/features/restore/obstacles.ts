import { BifractError } from '../../contract/errors.ts';
import type { JobRecord } from '../../ports/state.ts';
import type { RestoreConsent, RestoreObstacle, RestorePlan } from './contract.ts';
import type { Findings } from './plan.ts';

/** Extra space for the write-ahead log. */
const SPACE_FACTOR = 1.1;

/** Obstacles to the restore. */
export function findObstacles(found: Findings, jobs: JobRecord[]): RestoreObstacle[] {
  return [...ofServer(found), ...(found.query.target.kind === 'live' ? ofLive(found, jobs) : [])];
}

function mib(bytes: number): string {
  return `${Math.ceil(bytes / 2 ** 20)} MiB`;
}

function ofServer({ server, space, manifest }: Findings): RestoreObstacle[] {
  const obstacles: RestoreObstacle[] = [];
  if (!server.can_create) {
    obstacles.push({
      code: 'UNSUPPORTED',
      message: `User ${server.user} is not allowed to create databases`,
      hint: `As an administrator, run: ALTER ROLE ${server.user} CREATEDB`,
      consent: null,
    });
  }
  const { needed_bytes, free_bytes } = space;
  // Without the size of the original database the need is a guess, worth only a warning.
  if (manifest.bifract_console && free_bytes !== null && free_bytes < needed_bytes * SPACE_FACTOR) {
    obstacles.push({
      code: 'STORAGE_FULL',
      message: `Not enough disk space: ${mib(free_bytes)} free, ${mib(needed_bytes * SPACE_FACTOR)} needed for a second copy of the database`,
      hint: 'Free disk space on the server: the database is replaced only after the restore next to it is complete.',
      consent: null,
    });
  }
  return obstacles;
}

function ofLive({ sessions, replaces, database }: Findings, jobs: JobRecord[]): RestoreObstacle[] {
  const obstacles: RestoreObstacle[] = (replaces?.pinned ?? []).map((message) => ({
    code: 'BUSY',
    message,
    hint: `It prevents ${database} from being replaced: end it first.`,
    consent: null,
  }));
  for (const { id } of jobs.filter(({ kind }) => HOLDERS.has(kind) || WRITERS.has(kind))) {
    obstacles.push({
      code: 'BUSY',
      message: `Job ${id} is running`,
      hint: 'Wait until it has ended.',
      consent: null,
    });
  }
  if (sessions.length > 0) {
    const count = sessions.length === 1 ? '1 session is' : `${sessions.length} sessions are`;
    obstacles.push({
      code: 'BUSY',
      message: `${count} connected to ${database}`,
      hint: 'Stop the Bifract server with --stop-app, or terminate the sessions with --end-sessions.',
      consent: 'end_sessions',
    });
  }
  return obstacles;
}

/** Jobs that lock the whole database. A job that only waits for the lock is an obstacle too. */
const HOLDERS = new Set<string>(['backup', 'restore']);
/** Jobs that write records to the database, which a restore would remove. */
const WRITERS = new Set<string>(['archive', 'restore-archive']);

/** Running jobs whose records a restore would remove. */
export function writersOf(jobs: JobRecord[]): JobRecord[] {
  return jobs.filter(({ kind }) => WRITERS.has(kind));
}

/**
 * Throws the first obstacle that the consent does not remove. Sessions may be those of the server, which is
 * stopped first.
 */
export function mustBeClear({ obstacles }: RestorePlan, consent: RestoreConsent): void {
  for (const { code, message, hint, consent: needed } of obstacles) {
    if (needed === 'end_sessions' && (consent.end_sessions || consent.stop_app)) continue;
    throw new BifractError(code, message, { hint });
  }
}
