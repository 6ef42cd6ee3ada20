import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { testServices } from '../helpers/services.ts';
import { UploadChaos } from '../helpers/upload-chaos.ts';

const ROUNDS = 4;

const { postgres } = await testServices();
const chaos = await UploadChaos.start(postgres, 3);
after(() => chaos.stop());

test('killed uploads are never listed as files, and their remains are found and deleted', async () => {
  const rounds = [];
  for (let round = 0; round < ROUNDS; round++) rounds.push(await chaos.round());
  assert.ok(
    rounds.some(({ open }) => open > 0),
    JSON.stringify(rounds),
  );
});
