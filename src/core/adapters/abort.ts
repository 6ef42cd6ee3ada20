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
    // The later of the two must not become an unhandled rejection.
    promise.catch(() => undefined);
    aborted.promise.catch(() => undefined);
  }
}

/**
 * Yields from the source until the signal aborts, then throws the signal's reason at once, even if the source hangs.
 * The source is asked to return, but not waited for.
 */
export async function* untilAbort<T>(
  source: AsyncIterable<T>,
  signal: AbortSignal | undefined,
): AsyncGenerator<T> {
  const iterator = source[Symbol.asyncIterator]();
  let ended = false;
  // One listener for all steps: a listener and a race per step cost as much as reading a small piece.
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
