import assert from 'node:assert/strict';
import { type AddressInfo, connect, createServer } from 'node:net';
import { after, test } from 'node:test';
import { migratePostgres } from '../../../../bin/demo/generations.ts';
import { connectCatalog } from '../../../../src/core/adapters/postgres/catalog/catalog.ts';
import { settleTls } from '../../../../src/core/adapters/postgres/tls.ts';
import type { Catalog } from '../../../../src/core/ports/catalog.ts';
import { testServices } from '../../../helpers/services.ts';

const { postgres, sql } = await testServices();

/** What each connection has sent. */
const sent: Buffer[][] = [];
const relay = createServer((client) => {
  const pieces: Buffer[] = [];
  sent.push(pieces);
  client.on('data', (piece: Buffer) => pieces.push(piece));
  const upstream = connect(postgres.port, postgres.host);
  client.pipe(upstream).pipe(client);
  client.on('error', () => upstream.destroy());
  upstream.on('error', () => client.destroy());
});
await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve));
after(() => relay.close());

/** The messages of a connection that the server answers: statements without parameters, or one that has some. */
function statementsIn(bytes: Buffer): string[] {
  const statements: string[] = [];
  // The messages before the password have no type, and begin with their length.
  let at = 0;
  while (bytes[at] === 0) at += bytes.readUInt32BE(at);
  for (; at < bytes.length; at += 1 + bytes.readUInt32BE(at + 1)) {
    const type = bytes.toString('latin1', at, at + 1);
    if (type === 'Q' || type === 'P') statements.push(bytes.toString('utf8', at + 5, at + 40));
  }
  return statements;
}

async function countOf(work: (catalog: Catalog) => Promise<unknown>): Promise<number[]> {
  sent.length = 0;
  const { port } = relay.address() as AddressInfo;
  const no_files = { ca_file: undefined, cert_file: undefined, key_file: undefined, crl_file: undefined };
  const tls = { mode: 'prefer' as const, ...no_files };
  const catalog = await connectCatalog(await settleTls({ ...postgres, host: '127.0.0.1', port, tls }));
  await work(catalog).finally(() => catalog.close());
  return sent.map((pieces) => statementsIn(Buffer.concat(pieces)).length);
}

/** The first connection only finds that the server does not offer TLS. */
const SHAPE_AND_LIST = [0, 2];

async function checkLists() {
  assert.deepEqual(await countOf((catalog) => catalog.fractals()), SHAPE_AND_LIST);
  assert.deepEqual(await countOf((catalog) => catalog.archives()), SHAPE_AND_LIST);
  assert.deepEqual(await countOf((catalog) => catalog.groups()), SHAPE_AND_LIST);
}

test('a list takes two messages: one completes the session and finds the tables, one reads', checkLists);

test('the same holds on a server that keeps no records of archives', async () => {
  await migratePostgres(postgres, 'A', 'H');
  const [row] = await sql<{ id: string }>(`INSERT INTO fractals (name) VALUES ('web') RETURNING id`);
  const schedule = { archive_schedule: 'daily', max_archives: 3, archive_split: 'none' } as const;
  await countOf((catalog) => catalog.setSchedule(row?.id ?? '', schedule));
  await checkLists();
});

test('nothing is sent again for further lists', async () => {
  const count = await countOf(async (catalog) => {
    for (let round = 0; round < 3; round++) await catalog.fractals();
  });
  assert.deepEqual(count, [0, 1 + 3]);
});
