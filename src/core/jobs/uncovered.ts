import { judgeCells } from '../policy/coverage.ts';
import type { Cell } from '../policy/coverage-periods.ts';
import { fileLabel, periodOf, type Split } from '../policy/names.ts';
import { GRIDS, periodAt } from '../policy/periods.ts';
import type { CallOptions } from '../ports/types.ts';
import type { ArchiveWindow, WindowPlan } from './archive-windows.ts';
import { type CoverageDeps, claimsAndCounts } from './coverage.ts';

/**
 * What of a plan no whole archive holds yet. Of periods, those with such a row, whole. Of an archive that is not split,
 * all from the first such row on.
 */
export async function uncovered(
  deps: CoverageDeps,
  fractal_id: string,
  plan: WindowPlan,
  options: CallOptions = {},
): Promise<WindowPlan> {
  const [first] = plan.windows;
  if (!first) return plan;
  const split = splitOf(first);
  const grid = GRIDS[split ?? 'day'];
  const { claims, counts } = await claimsAndCounts(deps, { fractal_id, grid }, options);
  const open = judgeCells(claims, counts).cells.filter((cell) => cell.unprotected > 0);
  if (split === undefined) return { ...plan, windows: await rest(deps, fractal_id, first, open, options) };
  const periods = new Set(open.map(({ period }) => period));
  const isOpen = ({ from = '' }: ArchiveWindow) => periods.has(Date.parse(periodAt(split, from).from));
  return { ...plan, windows: plan.windows.filter(isOpen) };
}

function splitOf({ label }: ArchiveWindow): Split | undefined {
  if (label === null) return undefined;
  const { split } = periodOf(fileLabel(label));
  return split === 'none' ? undefined : split;
}

async function rest(
  { logs }: CoverageDeps,
  fractal_id: string,
  window: ArchiveWindow,
  open: readonly Cell[],
  options: CallOptions,
): Promise<ArchiveWindow[]> {
  const [begin, end] = [Date.parse(window.from ?? '') || Number.NEGATIVE_INFINITY, Date.parse(window.to)];
  const start = open.reduce((least, cell) => Math.min(least, cell.first_unprotected), end);
  if (start >= end) return [];
  if (start <= begin) return [window];
  const from = new Date(start).toISOString();
  const { rows } = await logs.stats({ fractal_id, from, to: window.to }, options);
  return rows > 0 ? [{ ...window, from, rows }] : [];
}
