/**
 * Disturbs jobs and checks what the program promises: `npm run faults -- [--seed N] [--rounds M] [--only KIND]…
 * [--json FILE]`. KIND is a job or a fault; a round has all of them, up to two jobs. Round number i has seed N + i, so `--seed S --rounds 1` repeats one.
 */
import { parseArgs } from 'node:util';
import { FAULT_NAMES } from './faults.ts';
import { JOB_NAMES } from './jobs.ts';
import { planRound } from './plan.ts';
import { reportLines, roundLine, writeReport } from './report.ts';
import { brokenRound, type Round, runRound } from './round.ts';
import { World } from './world.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Date.now() % 1e6) },
    rounds: { type: 'string', default: '50' },
    only: { type: 'string', multiple: true, default: [] },
    json: { type: 'string' },
  },
});
const [seed, count] = [Number(values.seed), Number(values.rounds)];
const kinds = [...JOB_NAMES, ...FAULT_NAMES];
if (!Number.isInteger(seed) || !(count > 0)) fail('--seed and --rounds take numbers');
if (!values.only.every((name) => (kinds as string[]).includes(name)))
  fail(`--only takes one of: ${kinds.join(', ')}`);

console.log(`${count} rounds from seed ${seed}`);
const rounds: Round[] = [];
let world = await World.start();
let stopped = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => {
    stopped = true;
  });
try {
  for (let at = 0; at < count && !stopped; at++) {
    const plan = planRound(seed + at, { only: values.only, root: world.disk.is_mounted });
    const round = await runRound(world, plan).catch((error: unknown) => brokenRound(plan, error));
    rounds.push(round);
    console.log(roundLine(round));
    if (round.outcomes.length > 0) continue;
    await world.stop();
    world = await World.start();
  }
} finally {
  console.log(reportLines(rounds, values.only).join('\n'));
  if (values.json !== undefined) await writeReport(values.json, rounds);
  await world.stop();
}
process.exit(rounds.some(({ violations }) => violations.length > 0) ? 1 : 0);

function fail(message: string): never {
  console.error(message);
  process.exit(2);
}
