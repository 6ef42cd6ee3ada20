import { stateContract } from '../contracts/state.ts';
import { FakeState } from './fake-ports.ts';

stateContract('fake state', async () => {
  const state = new FakeState();
  return { state, crash: async () => state.crash(), close: async () => undefined };
});
