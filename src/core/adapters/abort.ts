/** Settles as the promise does, or rejects with the signal's reason as soon as that aborts. */
export async function orAbort<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise;
  const aborted = Promise.withResolvers<never>();
  const onAbort = () => aborted.reject(signal.reason);
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
    // Whichever of the two comes late is nobody's business any more.
    promise.catch(() => undefined);
    aborted.promise.catch(() => undefined);
  }
}

/**
 * What the source yields, until the signal aborts: then it throws the signal's reason at once, even where
 * the source never answers. The source is told to end, but not waited for.
 */
export async function* untilAbort<T>(
  source: AsyncIterable<T>,
  signal: AbortSignal | undefined,
): AsyncGenerator<T> {
  const iterator = source[Symbol.asyncIterator]();
  let ended = false;
  // One listener for all steps: one for each, and a race, would cost as much as to read a small piece.
  let fail: ((reason: unknown) => void) | undefined;
  const onAbort = () => fail?.(signal?.reason);
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    while (true) {
      signal?.throwIfAborted();
      const step = await new Promise<IteratorResult<T>>((resolve, reject) => {
        fail = reject;
        iterator.next().then(resolve, reject);
      });
      if (step.done) {
        ended = true;
        return;
      }
      yield step.value;
    }
  } finally {
    signal?.removeEventListener('abort', onAbort);
    if (!ended) iterator.return?.().catch(() => undefined);
  }
}
