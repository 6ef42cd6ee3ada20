import { BifractError } from '../../src/core/errors.ts';
import type { Engine, Fractal } from '../../src/core/index.ts';

/** The fractal of that id or name. `NOT_FOUND` names those there are. */
export async function findFractal(engine: Engine, wanted: string, signal?: AbortSignal): Promise<Fractal> {
  const fractals = await engine.fractals({ signal });
  const found = fractals.find(({ id }) => id === wanted) ?? fractals.find(({ name }) => name === wanted);
  if (found) return found;
  const names = fractals.map(({ name }) => name).slice(0, 10);
  throw new BifractError('NOT_FOUND', `There is no fractal "${wanted}"`, {
    hint:
      names.length > 0 ? `There are: ${names.join(', ')}${fractals.length > 10 ? ', …' : ''}.` : undefined,
  });
}
