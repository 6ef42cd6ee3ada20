/** The function, computing again only when one of its arguments is another one than the last time. */
export function memo<Arguments extends readonly unknown[], Result>(
  compute: (...args: Arguments) => Result,
): (...args: Arguments) => Result {
  let last: { args: Arguments; result: Result } | undefined;
  return (...args) => {
    if (last?.args.every((arg, index) => Object.is(arg, args[index]))) return last.result;
    last = { args, result: compute(...args) };
    return last.result;
  };
}
