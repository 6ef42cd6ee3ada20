import assert from 'node:assert/strict';
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { ProgramMessages } from '../../../../../src/core/adapters/postgres/tools/pg-tool.ts';

async function read(text: string): Promise<{ messages: ProgramMessages; tables: string[] }> {
  const stream = new PassThrough();
  const tables: string[] = [];
  const messages = new ProgramMessages(stream, (table) => tables.push(table));
  stream.end(text);
  await once(stream, 'close');
  return { messages, tables };
}

test('reports tables, drops other messages, and keeps errors with their continuation lines', async () => {
  const { messages, tables } = await read(`bifract pid 4711
pg_dump: last built-in OID is 16383
pg_dump: reading schemas
  continuation of a message
pg_dump: dumping contents of table "public.users"
pg_dump: dumping contents of table "odd.a "b""
pg_dump: error: Dumping the contents of table "users" failed: PQgetResult() failed.
pg_dump: detail: Error message from server: ERROR:  canceling statement
DETAIL:  more of it
pg_dump: reading policies
pg_dump: warning: there are circular foreign-key constraints
`);
  assert.deepEqual(tables, ['public.users', 'odd.a "b"']);
  assert.equal(await messages.pid, 4711);
  assert.equal(
    messages.errorText(),
    `pg_dump: error: Dumping the contents of table "users" failed: PQgetResult() failed.
pg_dump: detail: Error message from server: ERROR:  canceling statement
DETAIL:  more of it
pg_dump: warning: there are circular foreign-key constraints`,
  );
});

test('messages of another program are errors, and only the last ones are kept', async () => {
  const { messages } = await read('no such service: postgres\n');
  assert.equal(messages.errorText(), 'no such service: postgres');
  assert.equal(await messages.pid, undefined);
  const many = await read(
    Array.from({ length: 100 }, (_, line) => `pg_dump: error: ${line} ${'x'.repeat(300)}\n`).join(''),
  );
  assert.ok(many.messages.errorText().length <= 2000 && many.messages.errorText().includes('error: 99'));
});

test('what a container client or a wrapper says after messages of the program is kept', async () => {
  const progress = 'pg_dump: dumping contents of table "public.users"\npg_dump: reading policies\n';
  const lost = await read(`${progress}client_loop: send disconnect: Broken pipe\n`);
  assert.equal(lost.messages.errorText(), 'client_loop: send disconnect: Broken pipe');
  const warned = await read(`pg_dump: warning: circular\n${progress}container is not running\n`);
  assert.equal(warned.messages.errorText(), 'pg_dump: warning: circular\ncontainer is not running');
});
