/**
 * Passes bytes on while `prove` reads the same bytes, and ends only when that has ended well: what is stored of them is
 * all, and proved. Throws what `prove` throws, as soon as it does.
 */
export async function* proved(
  bytes: AsyncIterable<Buffer>,
  prove: (bytes: AsyncIterable<Buffer>) => Promise<unknown>,
): AsyncGenerator<Buffer> {
  const { readable, writable } = new TransformStream<Buffer, Buffer>();
  const writer = writable.getWriter();
  const nobody = () => undefined;
  writer.closed.catch(nobody);
  const proof = prove(readable).then(
    () => undefined,
    (error: unknown) => ({ error }),
  );
  // A reader that has ended, for whatever reason, must not keep the writer waiting.
  void proof.then(() => writer.abort()).catch(nobody);
  const ended = async () => {
    const failure = await proof;
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
    await writer.close().catch(nobody);
    await ended();
  } finally {
    await writer.abort().catch(nobody);
    await proof;
  }
}
