// Which run does the pointer mean? Outside of the component tree: a row and its line light up without rebuilding anything.

let hot = null;
const watchers = new Set();

/** The id of the run or group that is meant, or null. */
export const hovered = () => hot;

/** Call *watcher* with the id whenever it changes; returns what ends that. */
export function watchHover(watcher) {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

/** Say which run or group is meant; null for none. */
export function hover(id) {
  if (id === hot) return;
  hot = id;
  document.querySelectorAll('tr.hot, li.hot').forEach(element => element.classList.remove('hot'));
  if (id !== null) document.querySelectorAll(`[data-id="${CSS.escape(id)}"]`).forEach(element => element.classList.add('hot'));
  watchers.forEach(watcher => watcher(id));
}

/** Whether the pointer or the focus is where rows or lines would move away from under it. */
export const busy = { table: false, chart: false };
const calmers = new Set();
/** Call *call* whenever the table or the charts may move again; `busy` tells which. */
export const whenCalm = call => calmers.add(call);
export function setBusy(where, isBusy) {
  busy[where] = isBusy;
  if (!isBusy) calmers.forEach(call => call());
}
