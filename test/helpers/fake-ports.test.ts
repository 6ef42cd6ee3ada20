import { catalogContract } from '../contracts/catalog.ts';
import { stateContract } from '../contracts/state.ts';
import { FakeCatalog, FakeState } from './fake-ports.ts';

stateContract('fake state', async () => {
  const state = new FakeState();
  return { state, crash: async () => state.crash(), close: async () => undefined };
});

catalogContract('the fake catalog', async () => {
  const catalog = new FakeCatalog();
  catalog.all.splice(0);
  return catalog;
});
