import { Random } from '../helpers/s3/random.ts';
import { type Conditions, FAULT_NAMES, type FaultName, faultKind } from './faults.ts';
import { JOB_NAMES, type JobName, jobKind } from './jobs.ts';
import type { Direction } from './relay.ts';
import type { StorageKind } from './world.ts';

/** When a fault strikes: some part of the usual duration, a line of output, or bytes on a connection. */
export type Moment =
  | { on: 'time'; part: number }
  | { on: 'line'; number: number }
  | { on: 'bytes'; link: Link; direction: Direction; bytes: number };

type Link = 'postgres' | 'clickhouse' | 's3';

export interface PlannedFault {
  name: FaultName;
  moment: Moment;
  /** Seeds what else is random about it. */
  seed: number;
}

/** What a round does, derived from its seed alone. */
export interface RoundPlan {
  seed: number;
  storage: StorageKind;
  jobs: JobName[];
  /** Delay of the second job, part of the duration of the first. */
  delay: number;
  faults: PlannedFault[];
  /** Whether `clean` runs before the next backup. */
  cleans: boolean;
  late_row: boolean;
}

const PAIRS = 0.45;
const SECOND_FAULT = 0.2;
const FAULT_IN_PAIR = 0.6;
const ROWS_SENT = 0.35;

/** `only`: up to two jobs and a fault that the round must have. */
export function planRound(seed: number, { only = [], root }: { only?: string[]; root: boolean }): RoundPlan {
  const random = new Random(seed);
  const wanted = only.filter((name) => (JOB_NAMES as string[]).includes(name)) as JobName[];
  const fault = FAULT_NAMES.find((name) => only.includes(name));
  for (;;) {
    const storage = random.pick(['disk', 's3'] as const);
    const possible = JOB_NAMES.filter((name) => (jobKind(name).storage ?? storage) === storage);
    const jobs = [wanted[0] ?? random.pick(possible)];
    const pair = wanted.length > 1 || random.chance(PAIRS);
    if (pair) jobs.push(wanted[1] ?? random.pick(possible));
    const faults = FAULT_NAMES.filter((name) => faultKind(name).applies({ jobs, storage, root }));
    if (!jobs.every((name) => possible.includes(name)) || (fault && !faults.includes(fault))) continue;
    const count = pair && !fault && !random.chance(FAULT_IN_PAIR) ? 0 : random.chance(SECOND_FAULT) ? 2 : 1;
    const chosen = Array.from(
      { length: count },
      (_, at) => (at === 0 && fault) || pickFault(faults, jobs, random),
    );
    return {
      seed,
      storage,
      jobs,
      delay: random.chance(0.5) ? 0 : random.next(),
      faults: [...new Set(chosen)].map((name) => ({
        name,
        moment: momentOf(name, { jobs, storage, root }, random),
        seed: random.int(0, 1e9),
      })),
      cleans: random.chance(0.5),
      late_row: random.chance(0.5),
    };
  }
}

function momentOf(name: FaultName, { jobs, storage }: Conditions, random: Random): Moment {
  const links: Link[] = ['postgres'];
  if (storage === 's3') links.push('s3');
  if (jobs.some((job) => jobKind(job).uses_clickhouse)) links.push('clickhouse');
  const link = faultKind(name).link ?? (name === 'kill -9' ? random.pick(links) : undefined);
  const choice = random.next();
  if (link && choice < 0.6) return { on: 'bytes', link, ...bytesOn(link, jobs, random) };
  if (choice < 0.8) return { on: 'time', part: random.next() };
  return { on: 'line', number: random.int(1, MOST_LINES) };
}

const MOST_LINES = 5;
const MOST_BYTES = { postgres: 10e6, clickhouse: 30e6, s3: 12e6 };
const SOME_ROWS_BYTES = 9e6;

function bytesOn(
  link: Link,
  jobs: readonly JobName[],
  random: Random,
): { direction: Direction; bytes: number } {
  const most = MOST_BYTES[link];
  // While rows are sent to ClickHouse: all of them, or those that it lacks.
  if (link === 'clickhouse' && jobs.includes('restore-archive'))
    return { direction: 'up', bytes: random.int(1, random.chance(0.5) ? most : SOME_ROWS_BYTES) };
  const direction = link === 'clickhouse' ? 'down' : random.pick(['up', 'down'] as const);
  // As likely in the first exchanges as in the middle of a file.
  return { direction, bytes: Math.round(most ** random.next()) };
}

/** ClickHouse dies more often where it matters most. */
function pickFault(possible: readonly FaultName[], jobs: readonly JobName[], random: Random): FaultName {
  const rows = jobs.includes('restore-archive') && random.chance(ROWS_SENT);
  return rows ? 'ClickHouse killed' : random.pick(possible);
}
