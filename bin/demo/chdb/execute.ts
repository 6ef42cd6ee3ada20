import type { Readable } from 'node:stream';
import type { Answer } from './answer.ts';
import type { ChdbEngine, Connection, Written } from './engine.ts';
import { type Fifos, feed } from './fifo.ts';
import type { Asked, Call } from './request.ts';
import { insertFromFile, isInsert, isSelect, isStreamable, namedFormat } from './statement.ts';

/** All that one statement is executed with. `signal` fires when the client has gone. */
export interface Execution {
  engine: ChdbEngine;
  fifos: Fifos;
  connection: Connection;
  call: Call;
  asked: Asked;
  answer: Answer;
  signal: AbortSignal;
}

/** Executes a statement, and sends all of its answer. */
export async function execute(execution: Execution): Promise<void> {
  const { call, asked } = execution;
  const format = resultFormat(call, asked.sql);
  if (isInsert(asked.sql)) return insert(execution, format);
  const wanted = isStreamable(format) && isSelect(asked.sql) && call.params.get('wait_end_of_query') !== '1';
  if (wanted && (await stream(execution, format))) return;
  await buffered(execution, format);
}

function resultFormat({ headers, params }: Call, sql: string): string {
  const header = headers['x-clickhouse-format'];
  const asDefault = typeof header === 'string' ? header : params.get('default_format');
  return namedFormat(sql) ?? asDefault ?? 'TabSeparated';
}

async function insert(execution: Execution, format: string): Promise<void> {
  const { engine, connection, call, asked, answer, signal } = execution;
  const written = asked.rows
    ? await insertStream(execution, asked.rows)
    : await engine.insert(connection, asked.sql, asked.inline).catch((error) => emptyInsert(error, call));
  signal.throwIfAborted();
  const { rows, bytes } = written;
  answer.begin(format, { read_rows: rows, written_rows: rows, written_bytes: bytes });
  await answer.end();
}

async function insertStream(
  { engine, fifos, connection, call, asked }: Execution,
  rows: Readable,
): Promise<Written> {
  const fifo = fifos.take();
  const done = new AbortController();
  let clean = false;
  try {
    const writing = engine
      .insert(connection, insertFromFile(asked.sql, fifo), asked.inline)
      .catch((error) => emptyInsert(error, call))
      .finally(() => done.abort());
    const feeding = feed(rows, fifo, done.signal, () => engine.kill(call.id));
    const [written, fed] = await Promise.allSettled([writing, feeding]);
    if (fed.status === 'rejected') throw fed.reason;
    if (written.status === 'rejected') throw written.reason;
    clean = true;
    return written.value;
  } finally {
    fifos.give(fifo, clean);
  }
}

/** An INSERT of no rows at all is no error on a real server. */
function emptyInsert(error: Error, call: Call): Written {
  if (call.params.has('query') && /\bCode: 108\b/.test(error.message)) return { rows: 0, bytes: 0 };
  throw error;
}

/** Sends a result as it is made; false where this statement cannot be streamed. */
async function stream({ connection, asked, answer, signal }: Execution, format: string): Promise<boolean> {
  const blocks = await openStream(connection, asked.sql, format, signal);
  if (!blocks) return false;
  answer.begin(format);
  for await (const block of blocks) await answer.write(block);
  signal.throwIfAborted();
  await answer.end();
  return true;
}

/** The result's blocks, after the first one has been made: until then an error still has a status of its own. */
async function openStream(
  connection: Connection,
  sql: string,
  format: string,
  signal: AbortSignal,
): Promise<AsyncIterable<Uint8Array> | undefined> {
  try {
    const result = connection.queryStream(sql, { format });
    signal.addEventListener('abort', () => result.cancel(), { once: true });
    const blocks = result[Symbol.asyncIterator]();
    return rest(blocks, await blocks.next());
  } catch (error) {
    if (error instanceof Error && /Streaming query is not supported/.test(error.message)) return undefined;
    throw error;
  }
}

async function* rest(
  blocks: AsyncIterator<{ raw(): Uint8Array }>,
  first: IteratorResult<{ raw(): Uint8Array }>,
): AsyncGenerator<Uint8Array> {
  try {
    for (let step = first; !step.done; step = await blocks.next()) yield step.value.raw();
  } finally {
    await blocks.return?.();
  }
}

async function buffered({ connection, asked, answer }: Execution, format: string): Promise<void> {
  const result = await connection.queryAsync(asked.sql, { format });
  const read_rows = result.rowsRead;
  answer.begin(format, { read_rows, read_bytes: result.bytesRead, result_rows: read_rows });
  await answer.end(result.bytes());
}
