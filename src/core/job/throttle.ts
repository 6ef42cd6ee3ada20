/** How often progress is reported at most, milliseconds. */
const INTERVAL_MS = 100;

/** Passes a call on if the last one that was passed on is at least `interval_ms` ago; drops it otherwise. */
export function throttle<Args extends unknown[]>(
  call: (...args: Args) => void,
  interval_ms = INTERVAL_MS,
): (...args: Args) => void {
  let last = Number.NEGATIVE_INFINITY;
  return (...args) => {
    const now = performance.now();
    if (now - last < interval_ms) return;
    last = now;
    call(...args);
  };
}
