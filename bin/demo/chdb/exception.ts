/** ClickHouse's HTTP errors: text, status, and the frame that carries an error after the first row. */

const STATUS = new Map<number, number>();
for (const [status, ...codes] of [
  [
    400, 6, 8, 15, 24, 25, 26, 27, 36, 38, 41, 44, 53, 62, 69, 70, 72, 117, 141, 167, 168, 190, 321, 427, 441,
    467, 675, 676,
  ],
  [401, 194],
  [403, 192, 193, 497, 511, 516],
  [404, 46, 47, 50, 56, 60, 63, 73, 78, 81, 115, 153, 336],
  [408, 159],
  [411, 381],
  [413, 223],
  [501, 48],
  [503, 76, 202, 209, 439],
] as [number, ...number[]][]) {
  for (const code of codes) STATUS.set(code, status);
}

/** An error in the wording of the engine. */
export function exception(code: number, name: string, message: string): Error {
  return new Error(`Code: ${code}. DB::Exception: ${message} (${name})`);
}

/** Code, HTTP status and text of an error; one from outside the engine becomes a standard exception. */
export function describeException(
  error: unknown,
  version: string,
): { code: number; status: number; text: string } {
  const message = error instanceof Error ? error.message : String(error);
  const stripped = message.replace(/^(Query failed: |Insert failed: |Stream failed: )+/, '').trim();
  const text = /^Code: \d+/.test(stripped)
    ? stripped
    : `Code: 1001. DB::Exception: ${stripped} (STD_EXCEPTION)`;
  const code = Number(/\d+/.exec(text)?.[0]);
  return { code, status: STATUS.get(code) ?? 500, text: `${text} (version ${version} (chdb))\n` };
}

/** The last bytes of a body that started with status 200 and failed; the connection is then closed. */
export function exceptionFrame(tag: string, text: string): Buffer {
  const length = Buffer.byteLength(text);
  return Buffer.from(`\r\n__exception__\r\n${tag}\r\n${text}${length} ${tag}\r\n__exception__\r\n`);
}
