import type { Engine } from '../../src/core/index.ts';
import type { Invocation } from '../arguments.ts';
import { orphanTable } from '../print/orphans.ts';
import { archiveTable, backupTable, fractalTable } from '../print/tables.ts';
import type { Printer } from '../printer.ts';
import { withEngine } from '../session.ts';
import { findFractal } from './fractal.ts';

type ListInvocation = Extract<Invocation, { command: 'list' }>;

/** Prints a list: a table for people, one object a line for programs. */
export function listCommand(invocation: ListInvocation, printer: Printer): Promise<number> {
  return withEngine(invocation.flags, async (engine, signal) => {
    const { values, lines } = await listing(invocation, engine, signal);
    printer.list(values, lines);
    return 0;
  });
}

async function listing(
  invocation: ListInvocation,
  engine: Engine,
  signal: AbortSignal,
): Promise<{ values: object[]; lines: string[] }> {
  switch (invocation.what) {
    case 'backups': {
      const backups = await engine.backups({ signal });
      return { values: backups, lines: backupTable(backups) };
    }
    case 'fractals': {
      const fractals = await engine.fractals({ signal });
      return { values: fractals, lines: fractalTable(fractals) };
    }
    case 'orphans': {
      const orphans = await engine.orphans({ signal });
      return { values: orphans, lines: orphanTable(orphans) };
    }
    case 'archives': {
      const { fractal } = invocation;
      const fractal_id = fractal === undefined ? undefined : (await findFractal(engine, fractal, signal)).id;
      const archives = await engine.archives({ fractal_id }, { signal });
      return { values: archives, lines: archiveTable(archives) };
    }
  }
}
