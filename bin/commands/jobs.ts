import type { GlobalFlags } from '../arguments.ts';
import { jobLines, jobReport } from '../print/jobs.ts';
import type { Printer } from '../printer.ts';
import { withEngine } from '../session.ts';

const RECENT_MS = 86_400_000;

/** Lists jobs of every process: running, unsettled and those of the last day, or all. */
export function jobsCommand(
  { all, flags }: { all: boolean; flags: GlobalFlags },
  printer: Printer,
): Promise<number> {
  return withEngine(flags, async (engine, signal) => {
    const now = Date.now();
    const known = await engine.knownJobs({ signal });
    const jobs = known.filter(
      ({ live, ended_at = now, unsettled }) => all || live || unsettled || now - ended_at < RECENT_MS,
    );
    const left = known.length - jobs.length;
    printer.list(jobs.map(jobReport), jobLines(jobs, { now, left, columns: process.stdout.columns }));
    return 0;
  });
}
