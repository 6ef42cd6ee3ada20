import { ERROR_EXITS } from '../../src/core/contract/errors.ts';
import { type JobOutcome, type JobRequest, type QueuedJob, summaryRows } from '../../src/core/index.ts';
import type { Printer } from '../output/printer.ts';
import { rowLines } from '../output/rows.ts';
import type { Session } from '../session.ts';

/** Runs a job to its end, or in the background with `--detach`, and prints its outcome. Returns the exit code. */
export async function runJob(session: Session, request: JobRequest): Promise<number> {
  if (session.flags.detach) return detachJob(session, request);
  return printOutcome(await awaitJob(session, request), request.kind, session.printer);
}

/** Runs a job in this process and prints its events. The signal of the session cancels it with its reason. */
export async function awaitJob<Request extends JobRequest>(
  { engine, printer, signal }: Session,
  request: Request,
): Promise<JobOutcome<Request['kind']>> {
  const stop = engine.subscribe((event) => printer.event(event));
  const job = engine.start(request);
  const cancel = () => engine.cancel(job.id, signal.reason);
  signal.addEventListener('abort', cancel, { once: true });
  if (signal.aborted) cancel();
  try {
    return await job.outcome;
  } finally {
    signal.removeEventListener('abort', cancel);
    stop();
  }
}

type Failure = Extract<JobOutcome, { event: 'job:failed' | 'job:cancelled' }>;
type Outcome = { event: 'job:done'; result: object } | Failure;

/** Prints the outcome of a job. Returns the exit code. */
export function printOutcome(outcome: Outcome, kind: string | undefined, printer: Printer): number {
  if (outcome.event === 'job:done') {
    printer.result(outcome.result, rowLines(summaryRows(kind ?? '', outcome.result)));
    return 0;
  }
  printer.failed(outcome.error);
  return exitOf(outcome);
}

/** Puts a job at the end of the queue and prints its ID. */
export async function queueJob({ engine, printer }: Session, request: JobRequest): Promise<number> {
  const job = await engine.enqueue(request);
  await engine.queueStarted();
  const waiting = await engine.queuedJobs();
  const { position = 0, problem = null } = waiting.find(({ id }) => id === job) ?? {};
  const [next] = waiting;
  const where = position === 0 ? 'has started' : `is number ${position} in the queue`;
  const lines = [
    `${job} ${where}.`,
    `Follow it with \`bifract attach ${job}\`, or cancel it with \`bifract cancel ${job}\`.`,
    ...(next?.problem ? [problemLine(next)] : []),
  ];
  printer.result({ job, position: position || null, problem }, lines, [job]);
  return 0;
}

/** Why a queued job could not be started, human-readable. */
export function problemLine({ id, problem }: QueuedJob): string {
  const { message, hint } = problem ?? { message: '', hint: '' };
  return `${id} cannot be started: ${message}. ${hint ? `${hint} ` : ''}It is tried again after the next job.`;
}

/** How long to wait for an early failure. */
const EARLY_FAILURE_MS = 1_000;

/** Starts a job in a process of its own and prints its ID. A job that fails at once fails the command. */
async function detachJob(session: Session, request: JobRequest): Promise<number> {
  const { engine, printer } = session;
  const job = await engine.detach(request);
  const failure = await earlyFailure(session, job);
  if (failure) {
    printer.failed(failure.error);
    return exitOf(failure);
  }
  const lines = [
    `${job} is running in the background.`,
    `Follow it with \`bifract attach ${job}\`, or cancel it with \`bifract cancel ${job}\`.`,
  ];
  printer.result({ job }, lines, [job]);
  return 0;
}

async function earlyFailure(session: Session, job: string): Promise<Failure | undefined> {
  const signal = AbortSignal.any([session.signal, AbortSignal.timeout(EARLY_FAILURE_MS)]);
  try {
    for await (const event of session.engine.follow(job, { signal })) {
      if (event.event === 'job:failed' || event.event === 'job:cancelled') return event;
      if (event.event !== 'job:started') return undefined;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  return undefined;
}

/** A job of another version may fail with a code that this one does not know. */
function exitOf({ error }: Failure): number {
  return ERROR_EXITS[error.code] ?? 1;
}
