import { asBifractError, type Engine } from '../../core/index.ts';
import type { DataState, Resource } from '../view/types.ts';

/** What the console shows of the engine's data: loaded in the background, never more than once at a time. */
export interface Data {
  state(): DataState;
  /** Loads again; a call while one is under way makes one more follow it. */
  refresh(...resources: Resource[]): void;
  /** What is on the screen, and is to be loaded with all that always is. */
  show(resources: readonly Resource[]): void;
  close(): void;
}

const ALWAYS: readonly Resource[] = ['health', 'fractals', 'archives', 'groups', 'backups'];

type Load = (signal: AbortSignal) => Promise<DataState[Resource]['value']>;

/** Asks the engine, keeps the last good answer beside the last error. */
export function loadData(engine: Engine, changed: (failed?: Resource) => void): Data {
  const end = new AbortController();
  const again = new Set<Resource>();
  let shown: readonly Resource[] = [];
  let state: DataState = {
    health: { loading: false },
    fractals: { loading: false },
    archives: { loading: false },
    groups: { loading: false },
    backups: { loading: false },
    orphans: { loading: false },
  };

  const loads: Record<Resource, Load> = {
    health: (signal) => engine.health({ signal }),
    fractals: (signal) => engine.fractals({ signal }),
    archives: (signal) => engine.archives({}, { signal }),
    groups: (signal) => engine.groups({}, { signal }),
    backups: (signal) => engine.backups({ signal }),
    orphans: (signal) => engine.orphans({ signal }),
  };

  function patch(resource: Resource, change: Partial<DataState[Resource]>, failed = false): void {
    if (end.signal.aborted) return;
    state = { ...state, [resource]: { ...state[resource], ...change } };
    changed(failed ? resource : undefined);
  }

  async function load(resource: Resource): Promise<void> {
    patch(resource, { loading: true });
    try {
      const value = await loads[resource](end.signal);
      patch(resource, { value, at: Date.now(), error: undefined, loading: false } as Partial<
        DataState[Resource]
      >);
    } catch (error) {
      const report = asBifractError(error).report();
      // The same trouble again is no news.
      const news = report.message !== state[resource].error?.message;
      patch(resource, { error: report, loading: false }, news);
    }
    if (again.delete(resource)) refresh(resource);
  }

  function refresh(...resources: Resource[]): void {
    for (const resource of resources.length > 0 ? resources : [...ALWAYS, ...shown]) {
      if (end.signal.aborted) return;
      if (state[resource].loading) again.add(resource);
      else void load(resource);
    }
  }

  return {
    state: () => state,
    refresh,
    show(resources) {
      shown = resources;
    },
    close: () => end.abort(),
  };
}
