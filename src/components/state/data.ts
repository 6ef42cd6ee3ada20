import { asBifractError, type Engine } from '../../core/index.ts';
import type { DataState, Resource } from '../view/types.ts';

/** The data of the engine that the console shows. Each resource is loaded in the background, once at a time. */
export interface Data {
  state(): DataState;
  /** Reloads the resources, or all that are shown; a call during a load makes another load follow. */
  refresh(...resources: Resource[]): void;
  /** Sets the resources of the current screen that are loaded in addition to the default ones. */
  show(resources: readonly Resource[]): void;
  close(): void;
}

const ALWAYS: readonly Resource[] = ['health', 'fractals', 'archives', 'groups', 'backups'];

type Load = (signal: AbortSignal) => Promise<DataState[Resource]['value']>;

/** Queries the engine; keeps the last good value along with the last error. */
export function loadData(engine: Engine, changed: (failed?: Resource) => void): Data {
  const end = new AbortController();
  const reload = new Set<Resource>();
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
      // The same error again is not reported.
      const isNew = report.message !== state[resource].error?.message;
      patch(resource, { error: report, loading: false }, isNew);
    }
    if (reload.delete(resource)) refresh(resource);
  }

  function refresh(...resources: Resource[]): void {
    for (const resource of resources.length > 0 ? resources : [...ALWAYS, ...shown]) {
      if (end.signal.aborted) return;
      if (state[resource].loading) reload.add(resource);
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
