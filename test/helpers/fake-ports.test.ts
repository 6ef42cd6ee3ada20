import { catalogContract } from '../contracts/catalog.ts';
import { stateContract } from '../contracts/state.ts';
import { FakeCatalog, FakeState } from './fake-ports.ts';

stateContract('fake state', async () => {
  const state = new FakeState();
  return { state, crash: async () => state.crash(), close: async () => undefined };
});

for (const keeper of ['server', 'console'] as const)
  catalogContract(`the fake catalog with records of the ${keeper}`, async () => {
    const catalog = new FakeCatalog();
    catalog.keeper = keeper;
    catalog.all.splice(0);
    return catalog;
  });
