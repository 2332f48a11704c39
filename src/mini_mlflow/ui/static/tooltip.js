// What are the values under the cursor? One tooltip for all charts: beside the card and never over it, or, where that fills the window, beside the cursor.
import { num } from './format.js';

const box = document.getElementById('tip');
const BESIDE = 14; // pixels between cursor and tooltip

function part(text, kind) {
  const element = document.createElement('span');
  element.textContent = text;
  if (kind) element.className = kind;
  return element;
}
function line(kind, ...parts) {
  const element = document.createElement('div');
  element.className = kind;
  element.append(...parts);
  return element;
}

/**
 * Show the tooltip.
 * @param {DOMRect} card what it stands beside, and never covers unless there is no room elsewhere
 * @param {{x: number, top: number}} cursor where its line stands in the window, and begins
 * @param {string} at the text of the cursor's place
 * @param {string} metric
 * @param {Array<{name: string, color: string, value: number, note: string, isHot: boolean}>} rows sorted, best first
 * @param {number} without how many have no value there
 */
export function showTip(card, cursor, at, metric, rows, without) {
  const hot = rows.findIndex(row => row.isHot);
  const start = rows.length <= 14 ? 0 : Math.max(0, Math.min(rows.length - 12, hot - 5));
  const cut = rows.length <= 14 ? rows : rows.slice(start, start + 12);
  const more = [];
  if (start) more.push(`${start} above`);
  if (rows.length - start - cut.length) more.push(`${rows.length - start - cut.length} below`);
  if (without) more.push(`${without} without a value`);
  box.replaceChildren(line('th', part(at), part(metric, 'say r')));
  for (const row of cut) {
    const dot = document.createElement('i');
    dot.className = 'dot';
    dot.style.background = row.color;
    box.append(line(row.isHot ? 'tr hot' : 'tr', dot, part(row.name, 'say'), ...(row.note ? [part(row.note, 'n')] : []), part(num(row.value), 'r')));
  }
  if (more.length) box.append(line('tf', part(more.join(' · '))));
  box.hidden = false;
  const [width, height] = [box.offsetWidth, box.offsetHeight];
  let x = card.left - width - 6;
  if (x < 8) x = card.right + 6;
  let y = Math.max(8, Math.min(innerHeight - height - 8, card.top));
  if (x + width > innerWidth - 4) { // no room on either side: below the card, else above it
    x = Math.max(4, Math.min(innerWidth - width - 4, card.left));
    y = card.bottom + height + 6 < innerHeight ? card.bottom + 6 : card.top - height - 6;
    if (y < 4) { // nor above: in the card, on the side of the cursor that has more room
      x = cursor.x > innerWidth / 2 ? cursor.x - width - BESIDE : cursor.x + BESIDE;
      x = Math.max(4, Math.min(innerWidth - width - 4, x));
      y = Math.max(4, Math.min(innerHeight - height - 8, cursor.top));
    }
  }
  box.style.transform = `translate(${Math.round(x)}px,${Math.round(y)}px)`;
}

export function hideTip() {
  box.hidden = true;
}
