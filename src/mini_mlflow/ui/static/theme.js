// Which colours hold at the moment? Read once per theme, not per line.
import { S, watch } from './address.js';

const names = ['bg', 'text', 'text-3', 'grid', 'axis', 'line', 'line-strong', 'line-input', 'cursor', 'accent', 'font', 'seq-0', 'seq-1'];
const system = matchMedia('(prefers-color-scheme: dark)');
const watchers = new Set();

/** Values of tokens.css by name, and the 20 run colours under `run`. */
export const theme = { run: [], version: 0 };

function read() {
  if (S.t) document.documentElement.dataset.theme = S.t;
  else delete document.documentElement.dataset.theme;
  const style = getComputedStyle(document.documentElement);
  for (const name of names) theme[name] = style.getPropertyValue(`--${name}`).trim();
  theme.run = Array.from({ length: 20 }, (_, i) => style.getPropertyValue(`--run-${i + 1}`).trim());
  theme.version += 1;
  watchers.forEach(watcher => watcher());
}

/** Call *watcher* when the theme has changed. */
export const watchTheme = watcher => { watchers.add(watcher); };
let shown = S.t;
watch(() => { if (S.t !== shown) { shown = S.t; read(); } });
system.addEventListener('change', read);
read();
