import type { Services } from '../../src/core/ports/services.ts';

/** The plain value behind a service: what its getter returns. Services with arguments or effects stay functions. */
type Plain<Service> = Service extends () => infer Value ? Awaited<Value> : Service;

/** Services that are called for their effect. */
type Action = 'replaceKey' | 'close';

export type FakeParts = {
  [Name in keyof Services]: Name extends Action ? Services[Name] : Plain<Services[Name]>;
};

/** Services that are used as they are given; all others are getters of a value. */
const AS_GIVEN = new Set<string | symbol>([
  'installation',
  'archive_limits',
  'variables',
  'state',
  'database_name',
  'audit',
  'replaceKey',
  'storageOf',
  'localFile',
  'close',
] satisfies (keyof Services)[]);
const SYNCHRONOUS = new Set<string | symbol>(['owner', 'now'] satisfies (keyof Services)[]);

/**
 * The services of an installation, made of plain values: `fakeServices({ catalog, archives: storage })`. What is not
 * given throws when it is used. Later changes of `parts` take effect.
 */
export function fakeServices(parts: Partial<FakeParts>): Services {
  const given = (name: string | symbol): unknown => {
    if (Object.hasOwn(parts, name)) return parts[name as keyof FakeParts];
    throw new Error(`The test gives no service ${String(name)}`);
  };
  return new Proxy({} as Services, {
    get: (_, name) => {
      if (name === 'then') return undefined;
      if (AS_GIVEN.has(name)) return given(name);
      return SYNCHRONOUS.has(name) ? () => given(name) : async () => given(name);
    },
  });
}
