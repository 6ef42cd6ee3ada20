import type { Engine } from '../../core/index.ts';
import type { DataState, Resource } from '../view/types.ts';
import { createLoadCache, type Query } from './load-cache.ts';
import { reuseUnchanged } from './reuse.ts';

/** The data of the engine that the console shows. */
export interface Data {
  state(): DataState;
  /** Reloads the resources, or all that are shown. */
  refresh(...resources: Resource[]): void;
  /** Sets the resources of the current screen that are loaded in addition to the default ones. */
  show(resources: readonly Resource[]): void;
  close(): void;
}

const ALWAYS: readonly Resource[] = ['health', 'fractals', 'archives', 'groups', 'backups', 'checks'];

/** Nothing is loaded yet. */
const EMPTY: DataState = {
  health: { loading: false },
  fractals: { loading: false },
  archives: { loading: false },
  groups: { loading: false },
  backups: { loading: false },
  checks: { loading: false },
  orphans: { loading: false },
  resumable: { loading: false },
  history: { loading: false },
};

/** Queries the engine; `changed` gets the resource if loading it failed with a new error. */
export function loadData(engine: Engine, changed: (failed?: Resource) => void): Data {
  const queries: Record<Resource, (options: { signal: AbortSignal }) => Promise<unknown>> = {
    health: (options) => engine.health(options),
    fractals: (options) => engine.fractals(options),
    archives: (options) => engine.archives({}, options),
    groups: (options) => engine.groups({}, options),
    backups: (options) => engine.backups(options),
    checks: () => engine.checks(),
    orphans: (options) => engine.orphans(options),
    history: (options) => engine.knownJobs(options),
    resumable: async (options) => new Set(await engine.resumable(options)),
  };
  const query: Query<Resource, unknown> = async (resource, options) => {
    const value = await queries[resource](options);
    return reuseUnchanged(cache.state().get(resource)?.value, value);
  };
  const cache = createLoadCache(query, changed);
  let shown: readonly Resource[] = [];
  return {
    state: () => ({ ...EMPTY, ...(Object.fromEntries(cache.state()) as Partial<DataState>) }),
    refresh(...resources) {
      for (const one of resources.length > 0 ? resources : [...ALWAYS, ...shown]) cache.load(one);
    },
    show(resources) {
      shown = resources;
    },
    close: cache.close,
  };
}
