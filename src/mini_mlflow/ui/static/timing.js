// When does something happen once, though it was asked for often?

/** A function that (re)starts one timer for *call*. */
export function setTimeoutOnce(call) {
  let timer = 0;
  return (delay, ...given) => {
    clearTimeout(timer);
    timer = setTimeout(() => call(...given), delay);
  };
}
