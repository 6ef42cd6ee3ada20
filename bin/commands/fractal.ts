import { BifractError } from '../../src/core/contract/errors.ts';
import type { Engine, Fractal } from '../../src/core/index.ts';

/** Finds a fractal by ID or name. Throws `NOT_FOUND`, with the names of the others as a hint. */
export async function findFractal(engine: Engine, wanted: string, signal?: AbortSignal): Promise<Fractal> {
  const fractals = await engine.fractals({ signal });
  const found = fractals.find(({ id }) => id === wanted) ?? fractals.find(({ name }) => name === wanted);
  if (found) return found;
  const names = fractals.map(({ name }) => name).slice(0, 10);
  throw new BifractError('NOT_FOUND', `No fractal named "${wanted}"`, {
    hint:
      names.length > 0 ? `Available: ${names.join(', ')}${fractals.length > 10 ? ', …' : ''}.` : undefined,
  });
}
