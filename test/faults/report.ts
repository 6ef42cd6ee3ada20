import { writeFile } from 'node:fs/promises';
import { FAULT_NAMES } from './faults.ts';
import { JOB_NAMES } from './jobs.ts';
import type { Round } from './round.ts';

/** One line about a round, for progress. */
export function roundLine({
  seed,
  storage,
  jobs,
  faults,
  outcomes,
  recovery,
  violations,
  ms,
}: Round): string {
  const disturbed = faults.map(({ name, hit, while_rows_sent }) =>
    while_rows_sent ? `${name} (while rows were sent)` : hit ? name : `${name} (not hit)`,
  );
  const lines = [
    `seed ${seed}: ${jobs.join(' + ')} on ${storage}; ${disturbed.join(', ') || 'no fault'}; ${outcomes.join(', ')}` +
      `; then ${recovery.join(', ')} (${(ms / 1000).toFixed(1)} s)`,
    ...violations.map(({ check, detail }) => `  VIOLATION ${check}: ${detail}`),
  ];
  return lines.join('\n');
}

/** Totals of all rounds. */
export function summarize(rounds: readonly Round[]) {
  const faults = rounds.flatMap((round) => round.faults);
  const by_fault = Object.fromEntries(
    FAULT_NAMES.map((name) => {
      const own = faults.filter((fault) => fault.name === name);
      const hit = own.filter((fault) => fault.hit).length;
      return [name, { injected: own.length, hit }];
    }),
  );
  const by_job = Object.fromEntries(
    JOB_NAMES.map((name) => {
      const own = rounds.filter(({ jobs }) => jobs.includes(name));
      return [name, { rounds: own.length, pairs: own.filter(({ jobs }) => jobs.length > 1).length }];
    }),
  );
  const outcomes: Record<string, number> = {};
  for (const outcome of rounds.flatMap((round) => round.outcomes))
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  const violations = rounds.flatMap(({ seed, jobs, faults: own, violations: found }) =>
    found.map((one) => ({ seed, jobs, faults: own.map(({ name }) => name), ...one })),
  );
  const killed_while_rows_sent = faults.filter(
    ({ name, while_rows_sent }) => name === 'ClickHouse killed' && while_rows_sent,
  ).length;
  const ms = rounds.reduce((sum, round) => sum + round.ms, 0);
  return { rounds: rounds.length, ms, by_job, by_fault, killed_while_rows_sent, outcomes, violations };
}

/** The totals as a table. `only`: what the rounds were limited to, which their plans depend on. */
export function reportLines(rounds: readonly Round[], only: readonly string[]): string[] {
  const limits = only.map((name) => ` --only '${name.replaceAll("'", String.raw`'\''`)}'`).join('');
  const { by_fault, by_job, outcomes, violations, ms, killed_while_rows_sent } = summarize(rounds);
  const faults = Object.entries(by_fault).filter(([, { injected }]) => injected > 0);
  return [
    '',
    row('JOB', 'ROUNDS', 'IN PAIRS'),
    ...Object.entries(by_job).map(([name, { rounds: count, pairs }]) => row(name, count, pairs)),
    '',
    row('FAULT', 'INJECTED', 'HIT'),
    ...faults.map(([name, { injected, hit }]) =>
      row(hit === 0 ? `${name} (never hit)` : name, injected, hit),
    ),
    row('ClickHouse killed while rows were sent', '', killed_while_rows_sent),
    '',
    row('OUTCOME OF A DISTURBED JOB', 'JOBS', ''),
    ...Object.entries(outcomes)
      .sort()
      .map(([outcome, count]) => row(outcome, count, '')),
    '',
    `${rounds.length} rounds in ${(ms / 60_000).toFixed(1)} minutes, ${violations.length} violations`,
    ...violations.map(
      ({ seed, jobs, faults: own, check, detail }) =>
        `  --seed ${seed} --rounds 1${limits}: ${jobs.join(' + ')}; ${own.join(', ') || 'no fault'}: ${check}: ${detail}`,
    ),
  ];
}

/** Writes totals and rounds as JSON. */
export async function writeReport(file: string, rounds: readonly Round[]): Promise<void> {
  await writeFile(file, `${JSON.stringify({ ...summarize(rounds), details: rounds }, null, 2)}\n`);
}

function row(name: string, one: string | number, two: string | number): string {
  return `${name.padEnd(40)} ${String(one).padStart(8)} ${String(two).padStart(8)}`;
}
