import { Random } from '../helpers/s3/random.ts';
import { until } from '../helpers/until.ts';
import { findMissing, findViolations, type Outcome, type Violation } from './checks.ts';
import { Disturbance, type InjectedFault } from './disturb.ts';
import { type JobName, jobKind, type Task } from './jobs.ts';
import type { RoundPlan } from './plan.ts';
import type { Call } from './program.ts';
import type { World } from './world.ts';

const REPEATS = 4;
/** Children may live a moment longer than a killed program. */
const CHILDREN_LIMIT_MS = 10_000;

export interface Round {
  seed: number;
  storage: string;
  jobs: JobName[];
  faults: InjectedFault[];
  /** How each disturbed call ended. */
  outcomes: string[];
  /** How the calls of the recovery ended. */
  recovery: string[];
  violations: Violation[];
  ms: number;
}

/** Changes the world on purpose, to see that the checks notice. */
export interface Sabotage {
  /** After the disturbed calls. */
  before_recovery?(world: World, calls: readonly Call[]): Promise<void>;
  before_checks?(world: World, outcome: Outcome): Promise<void>;
}

/** One round: reset, disturb, let the program recover, check. */
export async function runRound(world: World, plan: RoundPlan, sabotage: Sabotage = {}): Promise<Round> {
  const started = performance.now();
  const start = await world.reset(plan.storage);
  const random = new Random(plan.seed + 1e6);
  const tasks: Task[] = [];
  for (const name of plan.jobs) tasks.push(await jobKind(name).prepare(world, start, random));
  const disturbance = new Disturbance(world, start, plan, tasks);
  const faults = await disturbance.run();
  const { calls } = disturbance;
  await sabotage.before_recovery?.(world, calls);
  const missing = await findMissing({ world, jobs: plan.jobs, tasks, calls });
  const { next, all } = await recover(world, plan, tasks, calls);
  const processes = await leftProcesses(all);
  const common = { world, start, jobs: plan.jobs, tasks, calls, missing, next, all, processes };
  const outcome = { ...common, late_row: plan.late_row, files: await world.files() };
  await sabotage.before_checks?.(world, outcome);
  const violations = await findViolations(
    sabotage.before_checks ? { ...outcome, files: await world.files() } : outcome,
  );
  if (plan.late_row) await world.clickhouse.removeLateRows();
  return {
    seed: plan.seed,
    storage: plan.storage,
    jobs: plan.jobs,
    faults,
    outcomes: calls.map((call) => call.outcome),
    recovery: all.slice(calls.length).map((call) => `${call.args[0]} ${call.outcome}`),
    violations,
    ms: Math.round(performance.now() - started),
  };
}

/** A round that could not be finished, for example because a server did not start again. */
export function brokenRound({ seed, storage, jobs }: RoundPlan, error: unknown): Round {
  const detail = error instanceof Error ? String(error.stack) : String(error);
  const violations = [{ check: 'the round ends', detail } as const];
  return { seed, storage, jobs, faults: [], outcomes: [], recovery: [], violations, ms: 0 };
}

/** As an administrator would: repeats what can be repeated, maybe cleans up, and makes the next backup. */
async function recover(
  world: World,
  plan: RoundPlan,
  tasks: readonly Task[],
  calls: readonly Call[],
): Promise<{ next: Call; all: Call[] }> {
  const all = [...calls];
  for (const [at, { args, repeats }] of tasks.entries()) {
    let last = calls[at] as Call;
    for (let left = repeats ? REPEATS : 0; left > 0 && last.code !== 0; left--) {
      last = await world.call(args).ended;
      all.push(last);
    }
  }
  if (plan.cleans) all.push(await world.call(['clean', '--yes']).ended);
  const started = performance.now();
  const next = await world.call(['backup']).ended;
  // The machine may be busier or less busy than before.
  world.backup_ms = (3 * world.backup_ms + performance.now() - started) / 4;
  all.push(next);
  return { next, all };
}

async function leftProcesses(calls: readonly Call[]): Promise<string[]> {
  const left: string[] = [];
  for (const call of calls) {
    const gone = async () => (await call.left()).length === 0;
    await until(gone, CHILDREN_LIMIT_MS, 'children end').catch(async () => left.push(...(await call.left())));
    call.killGroup();
  }
  return left;
}
