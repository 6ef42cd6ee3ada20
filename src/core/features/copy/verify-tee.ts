/**
 * Passes bytes through while `verify` reads the same bytes, and ends only after it has succeeded: the stored
 * bytes are complete and verified. Throws the error of `verify` at once.
 */
export async function* verifyTee(
  bytes: AsyncIterable<Buffer>,
  verify: (bytes: AsyncIterable<Buffer>) => Promise<unknown>,
): AsyncGenerator<Buffer> {
  const { readable, writable } = new TransformStream<Buffer, Buffer>();
  const writer = writable.getWriter();
  const ignore = () => undefined;
  writer.closed.catch(ignore);
  const verification = verify(readable).then(
    () => undefined,
    (error: unknown) => ({ error }),
  );
  // A verifier that has ended must not block the writer.
  void verification.then(() => writer.abort()).catch(ignore);
  const ended = async () => {
    const failure = await verification;
    if (failure) throw failure.error;
  };
  try {
    for await (const piece of bytes) {
      const taken = await writer.write(piece).then(
        () => true,
        () => false,
      );
      if (!taken) await ended();
      yield piece;
    }
    await writer.close().catch(ignore);
    await ended();
  } finally {
    await writer.abort().catch(ignore);
    await verification;
  }
}
