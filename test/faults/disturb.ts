import { setTimeout as wait } from 'node:timers/promises';
import { Random } from '../helpers/s3/random.ts';
import { until } from '../helpers/until.ts';
import { type FaultName, faultKind, type Scene } from './faults.ts';
import { type JobName, jobKind, type Task } from './jobs.ts';
import type { Moment, RoundPlan } from './plan.ts';
import type { Call, ProgramOptions } from './program.ts';
import type { Start, World } from './world.ts';

/** A restore has sent so much when its rows are on their way. */
const ROWS_BEGUN = 512 << 10;
const RESTART_LIMIT_MS = 60_000;

export interface InjectedFault {
  name: FaultName;
  /** Whether it disturbed a running job. */
  hit: boolean;
  /** Whether rows of an archive were being sent to ClickHouse. */
  while_rows_sent: boolean;
}

interface Armed {
  result: InjectedFault;
  moment: Moment;
  scene: Scene;
}

/** Runs the jobs of a round under its faults, and repairs what the faults broke. */
export class Disturbance {
  readonly calls: Call[] = [];
  readonly #world: World;
  readonly #plan: RoundPlan;
  readonly #tasks: readonly Task[];
  readonly #faults: Armed[];
  readonly #strikes: Promise<void>[] = [];
  readonly #over = new AbortController();

  constructor(world: World, start: Start, plan: RoundPlan, tasks: readonly Task[]) {
    this.#world = world;
    this.#plan = plan;
    this.#tasks = tasks;
    this.#faults = plan.faults.map(({ name, moment, seed }) => ({
      result: { name, hit: false, while_rows_sent: false },
      moment,
      scene: { world, start, jobs: plan.jobs, calls: this.calls, random: new Random(seed) },
    }));
  }

  async run(): Promise<InjectedFault[]> {
    const options = await this.#arm();
    await this.#call(options);
    if (this.#plan.late_row) this.#strikes.push(addLateRow(this.#world, this.#duration / 3));
    await Promise.all(this.calls.map(({ ended }) => ended));
    this.#over.abort();
    for (const { relay } of [this.#world.postgres, this.#world.clickhouse, this.#world.s3]) relay.calm();
    await Promise.all(this.#strikes);
    await this.#heal();
    return this.#faults.map(({ result }) => result);
  }

  /** Usual duration of the first job now, milliseconds. */
  get #duration(): number {
    return jobKind(this.#plan.jobs[0] as JobName).duration * this.#world.backup_ms;
  }

  async #arm(): Promise<Partial<ProgramOptions>> {
    let options: Partial<ProgramOptions> = {};
    for (const fault of this.#faults) {
      const { result, moment, scene } = fault;
      options = { ...options, ...(await faultKind(result.name).arm?.(scene)) };
      if (moment.on === 'bytes')
        this.#world[moment.link].relay.after(moment.direction, moment.bytes, () => this.#strike(fault));
    }
    return options;
  }

  async #call(options: Partial<ProgramOptions>): Promise<void> {
    for (const { args } of this.#tasks) {
      if (this.calls.length > 0) await wait(this.#plan.delay * this.#duration);
      const call = this.#world.call(args, options);
      if (this.calls.push(call) === 1) this.#watch(call);
    }
  }

  #watch(call: Call): void {
    for (const fault of this.#faults) {
      const { moment } = fault;
      const strike = () => this.#strike(fault);
      if (moment.on === 'line') call.afterLines(moment.number, strike);
      if (moment.on === 'time') {
        const passed = wait(moment.part * this.#duration, undefined, { signal: this.#over.signal });
        passed.then(strike, () => undefined);
      }
    }
  }

  #strike({ result, scene }: Armed): void {
    const { strike } = faultKind(result.name);
    if (!strike || this.#over.signal.aborted) return;
    result.while_rows_sent = areRowsSent(scene);
    const struck = async () => {
      result.hit = await strike(scene);
    };
    const striking = struck();
    // A failure shows when all strikes are awaited.
    striking.catch(() => undefined);
    this.#strikes.push(striking);
  }

  async #heal(): Promise<void> {
    for (const { result, scene } of this.#faults) {
      const noticed = await faultKind(result.name).heal?.(scene);
      if (noticed !== undefined) result.hit = noticed;
      result.while_rows_sent &&= result.hit;
    }
  }
}

/** Adds a row as soon as ClickHouse is up. */
async function addLateRow({ clickhouse }: World, after_ms: number): Promise<void> {
  await wait(after_ms);
  const add = async () => {
    try {
      await clickhouse.addLateRow();
      return true;
    } catch (error) {
      // ClickHouse is down.
      if (error instanceof TypeError) return false;
      throw error;
    }
  };
  await until(add, RESTART_LIMIT_MS, 'ClickHouse takes a row');
}

function areRowsSent({ world, jobs, calls }: Scene): boolean {
  const restoring = calls[jobs.indexOf('restore-archive')];
  const { bytes, sends } = world.clickhouse.relay;
  return restoring?.running === true && bytes.up > ROWS_BEGUN && sends;
}
