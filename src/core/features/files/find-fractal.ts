import { BifractError } from '../../contract/errors.ts';
import type { Catalog, Fractal } from '../../ports/catalog.ts';

/** The fractal with that id. `NOT_FOUND`. */
export async function findFractal(catalog: Catalog, id: string, signal?: AbortSignal): Promise<Fractal> {
  const fractal = (await catalog.fractals({ signal })).find((one) => one.id === id);
  if (fractal) return fractal;
  throw new BifractError('NOT_FOUND', `Fractal not found: ${id}`, { hint: 'See `bifract list fractals`.' });
}
