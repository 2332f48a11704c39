// What was done last, and how is it undone? One line at the bottom, for ten seconds; `u` works later too.
import { html, Component } from './vendor/preact.js';
import { setTimeoutOnce } from './timing.js';

const done = []; // { text, name, undo }
let shown = null;
const watchers = new Set();
const tell = () => watchers.forEach(watcher => watcher());
const fade = setTimeoutOnce(() => { shown = null; tell(); });

/**
 * Say what was done.
 * @param {string} text "Deleted"
 * @param {string} [name] of what
 * @param {function(): Promise} [undo] what takes it back
 */
export function say(text, name = '', undo = null) {
  shown = { text, name, undo };
  if (undo) done.push(shown);
  tell();
  fade(10000);
}

/** Take back what was done last. */
export async function undoLast() {
  const last = done.pop();
  if (!last) return;
  try {
    await last.undo();
    shown = { text: 'Taken back:', name: `${last.text.toLowerCase()} ${last.name}`, undo: null };
  } catch (error) {
    shown = { text: `Not taken back: ${error.message}`, name: '', undo: null };
  }
  tell();
  fade(4000);
}

export class Toast extends Component {
  componentDidMount() { this.again = () => this.forceUpdate(); watchers.add(this.again); }
  componentWillUnmount() { watchers.delete(this.again); }
  render() {
    if (!shown) return html`<div role="status" class="vh"></div>`;
    return html`<div class="toast" role="status"><span>${shown.text}</span>${shown.name && html`<b class="say">${shown.name}</b>`}${shown.undo && html`<button type="button" class="link" onClick=${undoLast}>Undo</button><kbd>u</kbd>`}</div>`;
  }
}
