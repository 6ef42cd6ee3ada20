import { BifractError } from '../errors.ts';
import type { JobNote } from '../ports/state.ts';
import type { RestoreConsent, RestoreObstacle, RestorePlan } from '../restore.ts';
import type { Findings } from './restore-plan.ts';

/** Room beside the restored database itself: for the log of what is written. */
const SPACE_FACTOR = 1.1;

/** What stands in the way of the restore. */
export function findObstacles(found: Findings, jobs: JobNote[]): RestoreObstacle[] {
  return [...ofServer(found), ...(found.query.target.kind === 'live' ? ofLive(found, jobs) : [])];
}

function ofServer({ server, space, manifest }: Findings): RestoreObstacle[] {
  const obstacles: RestoreObstacle[] = [];
  if (!server.can_create) {
    obstacles.push({
      code: 'UNSUPPORTED',
      message: `The user ${server.user} may not make databases, which a restore needs`,
      hint: `As an administrator: ALTER ROLE ${server.user} CREATEDB`,
      consent: null,
    });
  }
  const { needed_bytes, free_bytes } = space;
  // Without the size that the database had, need is a guess, and only worth a warning.
  if (manifest.bifract_console && free_bytes !== null && free_bytes < needed_bytes * SPACE_FACTOR) {
    obstacles.push({
      code: 'STORAGE_FULL',
      message: `The server has ${free_bytes} bytes free; a second copy of the database needs ${needed_bytes}`,
      hint: 'Free some space there: the database is replaced only once the restored one stands beside it.',
      consent: null,
    });
  }
  return obstacles;
}

function ofLive({ sessions, replaces, database }: Findings, jobs: JobNote[]): RestoreObstacle[] {
  const obstacles: RestoreObstacle[] = (replaces?.pinned ?? []).map((message) => ({
    code: 'BUSY',
    message,
    hint: `It keeps ${database} from being replaced: end it first.`,
    consent: null,
  }));
  for (const { id } of jobs.filter(({ kind }) => HOLDERS.has(kind) || WRITERS.has(kind))) {
    obstacles.push({ code: 'BUSY', message: `The job ${id} runs`, hint: 'Wait for its end.', consent: null });
  }
  if (sessions.length > 0) {
    const count = sessions.length === 1 ? '1 session is' : `${sessions.length} sessions are`;
    obstacles.push({
      code: 'BUSY',
      message: `${count} connected to ${database}`,
      hint: 'Stop the Bifract server (--stop-app), or let them be ended (--end-sessions).',
      consent: 'end_sessions',
    });
  }
  return obstacles;
}

/** Each holds all of the database, and by a lock, which one that only tries to does not have. */
const HOLDERS = new Set<string>(['backup', 'restore']);
/** Keep records in the database, which a restore would take away beneath them. */
const WRITERS = new Set<string>(['archive', 'restore-archive']);

/** Running jobs whose records a restore would take away. */
export function writersOf(jobs: JobNote[]): JobNote[] {
  return jobs.filter(({ kind }) => WRITERS.has(kind));
}

/** Throws the first obstacle that the consent does not remove. Sessions may be the server's, which is stopped first. */
export function mustBeClear({ obstacles }: RestorePlan, consent: RestoreConsent): void {
  for (const { code, message, hint, consent: needed } of obstacles) {
    if (needed === 'end_sessions' && (consent.end_sessions || consent.stop_app)) continue;
    throw new BifractError(code, message, { hint });
  }
}
