import type { GlobalFlags } from '../arguments.ts';
import { coverageLines } from '../print/schedule.ts';
import type { Printer } from '../printer.ts';
import type { ScheduleInvocation } from '../schedule-arguments.ts';
import { withEngine } from '../session.ts';
import { findFractal } from './fractal.ts';

type Invocation = Extract<ScheduleInvocation, { command: 'coverage' }> & { flags: GlobalFlags };

/** Prints the coverage of a fractal: merged periods for people, every period for programs. */
export function coverageCommand({ fractal, unit, flags }: Invocation, printer: Printer): Promise<number> {
  return withEngine(flags, async (engine, signal) => {
    const { id } = await findFractal(engine, fractal, signal);
    const coverage = await engine.coverage(id, { unit, signal });
    printer.result(coverage, coverageLines(coverage));
    return 0;
  });
}
