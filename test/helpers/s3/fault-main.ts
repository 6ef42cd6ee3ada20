/** Runs uploads under faults: `node --import tsx test/helpers/s3/fault-main.ts [COUNT] [FIRST SEED]`. */
import { runFault } from './fault-run.ts';

const [count = '200', first = '0'] = process.argv.slice(2);
const outcomes = new Map<string, number>();
for (let seed = Number(first); seed < Number(first) + Number(count); seed++) {
  try {
    const { scenario, outcome } = await runFault(seed);
    const line = `${scenario}: ${outcome}`;
    outcomes.set(line, (outcomes.get(line) ?? 0) + 1);
  } catch (error) {
    process.exitCode = 1;
    process.stdout.write(`seed ${seed}: ${error instanceof Error ? error.stack : String(error)}\n`);
  }
}
for (const [line, times] of [...outcomes].sort())
  process.stdout.write(`${String(times).padStart(5)}  ${line}\n`);
