import type { GlobalFlags } from '../arguments.ts';
import type { FileInvocation } from '../file-arguments.ts';
import { reportLines } from '../print/report.ts';
import type { Printer } from '../printer.ts';
import { withEngine } from '../session.ts';

type ShowInvocation = Extract<FileInvocation, { command: 'show' }> & { flags: GlobalFlags };

/** Prints the report of a file. */
export function showCommand({ target, flags }: ShowInvocation, printer: Printer): Promise<number> {
  return withEngine(flags, async (engine, signal) => {
    const report = await engine.show(target, { signal });
    printer.result(report, reportLines(report));
    return 0;
  });
}
