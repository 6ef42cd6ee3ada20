import type { Fault, FaultPlan, FaultRequest } from './fault.ts';
import type { Random } from './random.ts';
import type { Operation } from './request.ts';

export interface Scenario {
  plan: FaultPlan;
  /** The fault lasts until the end of the upload, so that even cleanup fails. */
  for_good?: boolean;
}

const TRANSIENT_ERRORS = [
  [500, 'InternalError'],
  [502, 'BadGateway'],
  [503, 'SlowDown'],
  [503, 'ServiceUnavailable'],
  [429, 'TooManyRequests'],
  [409, 'OperationAborted'],
] as const;

/** Failures of the service or the network. */
export const SCENARIOS: Record<string, (random: Random) => Scenario> = {
  none: () => ({ plan: () => undefined }),
  cut: (random) => sometimes(random, 0.3, () => cut(random)),
  'cut part': (random) => onceAt(random, ['upload-part'], () => cut(random)),
  storm: (random) => sometimes(random, 0.4, () => refusal(random)),
  'storm to the end': (random) => from(random, () => refusal(random)),
  slow: (random) => sometimes(random, 0.5, () => ({ delay_ms: random.int(1, 40) })),
  stall: (random) => sometimes(random, 0.12, () => ({ stall: true })),
  corrupt: (random) => sometimes(random, 0.4, () => ({ corrupt: true }), ['upload-part', 'put-object']),
  'lost answers': (random) => sometimes(random, 0.35, () => ({ lose_response: true })),
  'lost completion': (random) => onceAt(random, COMMITS, () => ({ lose_response: true })),
  'error in 200': (random) =>
    firstTimes(random.int(1, 8), ['complete-upload'], () => ({ error_in_200: 'InternalError' })),
  'denied completion': () => always(COMMITS, () => ({ status: 403, code: 'AccessDenied' })),
  'credentials expire': (random) => from(random, () => ({ status: 403, code: 'ExpiredToken' })),
  outage: (random) => {
    const [start, length] = [random.int(2, 12), random.int(1, 60)];
    return { plan: ({ count }) => (count >= start && count < start + length ? cut(random) : undefined) };
  },
  everything: (random) =>
    sometimes(random, 0.3, () =>
      random.pick<Fault>([
        cut(random),
        refusal(random),
        { delay_ms: random.int(1, 30) },
        { corrupt: true },
        { lose_response: true },
      ]),
    ),
};

const COMMITS: Operation[] = ['complete-upload', 'put-object'];

function cut(random: Random): Fault {
  return random.chance(0.5) ? { cut_after: random.int(0, 5_000_000) } : { cut_after: 0, lose_response: true };
}

function refusal(random: Random): Fault {
  const [status, code] = random.pick(TRANSIENT_ERRORS);
  return { status, code };
}

function always(operations: Operation[], fault: () => Fault): Scenario {
  return { plan: ({ operation }) => (operations.includes(operation) ? fault() : undefined) };
}

function sometimes(
  random: Random,
  probability: number,
  fault: () => Fault,
  operations?: Operation[],
): Scenario {
  const applies = ({ operation }: FaultRequest) => !operations || operations.includes(operation);
  return { plan: (request) => (applies(request) && random.chance(probability) ? fault() : undefined) };
}

function firstTimes(times: number, operations: Operation[], fault: () => Fault): Scenario {
  let left = times;
  return { plan: ({ operation }) => (operations.includes(operation) && left-- > 0 ? fault() : undefined) };
}

function onceAt(random: Random, operations: Operation[], fault: () => Fault): Scenario {
  let before = random.int(0, 2);
  return {
    plan: ({ operation }) => (operations.includes(operation) && before-- === 0 ? fault() : undefined),
  };
}

function from(random: Random, fault: () => Fault): Scenario {
  const start = random.int(1, 14);
  return { plan: ({ count }) => (count >= start ? fault() : undefined), for_good: true };
}
