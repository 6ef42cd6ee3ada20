import type { Readable } from 'node:stream';
import type { ChdbEngine, Connection, InsertResult } from './engine.ts';
import { type Fifos, feed } from './fifo.ts';
import type { Call, Statement } from './request.ts';
import type { StatementResponse } from './response.ts';
import { insertFromFile, isInsert, isSelect, isStreamable, namedFormat } from './statement.ts';

/** A statement and its context. `signal` aborts when the client disconnects. */
export interface Execution {
  engine: ChdbEngine;
  fifos: Fifos;
  connection: Connection;
  call: Call;
  statement: Statement;
  output: StatementResponse;
  signal: AbortSignal;
}

/** Executes a statement and sends the complete response. */
export async function execute(execution: Execution): Promise<void> {
  const { call, statement } = execution;
  const format = resultFormat(call, statement.sql);
  if (isInsert(statement.sql)) return insert(execution, format);
  const streamable =
    isStreamable(format) && isSelect(statement.sql) && call.params.get('wait_end_of_query') !== '1';
  if (streamable && (await stream(execution, format))) return;
  await buffered(execution, format);
}

function resultFormat({ headers, params }: Call, sql: string): string {
  const header = headers['x-clickhouse-format'];
  const asDefault = typeof header === 'string' ? header : params.get('default_format');
  return namedFormat(sql) ?? asDefault ?? 'TabSeparated';
}

async function insert(execution: Execution, format: string): Promise<void> {
  const { engine, connection, call, statement, output, signal } = execution;
  const written = statement.rows
    ? await insertStream(execution, statement.rows)
    : await engine
        .insert(connection, statement.sql, statement.inline)
        .catch((error) => emptyInsert(error, call));
  signal.throwIfAborted();
  const { rows, bytes } = written;
  output.begin(format, { read_rows: rows, written_rows: rows, written_bytes: bytes });
  await output.end();
}

async function insertStream(
  { engine, fifos, connection, call, statement }: Execution,
  rows: Readable,
): Promise<InsertResult> {
  const fifo = fifos.acquire();
  const done = new AbortController();
  let clean = false;
  try {
    const writing = engine
      .insert(connection, insertFromFile(statement.sql, fifo), statement.inline)
      .catch((error) => emptyInsert(error, call))
      .finally(() => done.abort());
    const feeding = feed(rows, fifo, done.signal, () => engine.kill(call.id));
    const [written, fed] = await Promise.allSettled([writing, feeding]);
    if (fed.status === 'rejected') throw fed.reason;
    if (written.status === 'rejected') throw written.reason;
    clean = true;
    return written.value;
  } finally {
    fifos.release(fifo, clean);
  }
}

/** A real server accepts an INSERT without rows. */
function emptyInsert(error: Error, call: Call): InsertResult {
  if (call.params.has('query') && /\bCode: 108\b/.test(error.message)) return { rows: 0, bytes: 0 };
  throw error;
}

/** Streams a result; returns false if the statement cannot be streamed. */
async function stream(
  { connection, statement, output, signal }: Execution,
  format: string,
): Promise<boolean> {
  const blocks = await openStream(connection, statement.sql, format, signal);
  if (!blocks) return false;
  output.begin(format);
  for await (const block of blocks) await output.write(block);
  signal.throwIfAborted();
  await output.end();
  return true;
}

/** Resolves with the blocks once the first one is ready, so that an error until then gets its own status. */
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
    return withFirst(blocks, await blocks.next());
  } catch (error) {
    if (error instanceof Error && /Streaming query is not supported/.test(error.message)) return undefined;
    throw error;
  }
}

async function* withFirst(
  blocks: AsyncIterator<{ raw(): Uint8Array }>,
  first: IteratorResult<{ raw(): Uint8Array }>,
): AsyncGenerator<Uint8Array> {
  try {
    for (let step = first; !step.done; step = await blocks.next()) yield step.value.raw();
  } finally {
    await blocks.return?.();
  }
}

async function buffered({ connection, statement, output }: Execution, format: string): Promise<void> {
  const result = await connection.queryAsync(statement.sql, { format });
  const read_rows = result.rowsRead;
  output.begin(format, { read_rows, read_bytes: result.bytesRead, result_rows: read_rows });
  await output.end(result.bytes());
}
