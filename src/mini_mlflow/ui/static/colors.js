// Which of the 20 colours has a run? Stable: by its place in its experiment, moved only where a shown run has that one, kept while the page lives.
import { S, split } from './address.js';
import { theme } from './theme.js';

export const SLOTS = 20;
const kept = new Map();

/** Slots chosen by hand: the address has them by the start of an id. */
function byHand() {
  const chosen = new Map();
  for (const item of split(S.k)) {
    const match = /^(.+):(\d{1,2})$/.exec(item);
    if (match && Number(match[2]) >= 1 && Number(match[2]) <= SLOTS) chosen.set(match[1], Number(match[2]) - 1);
  }
  return chosen;
}

/**
 * Give each of what is shown a slot and a dash.
 * @param {Array<{ref: string, short: string, rank: number}>} shown in the order of creation
 */
export function assign(shown) {
  const hand = byHand();
  const uses = new Array(SLOTS).fill(0);
  const open = [];
  for (const item of shown) {
    const slot = hand.get(item.short) ?? kept.get(item.ref);
    if (slot === undefined || (!hand.has(item.short) && uses[slot] > 0 && shown.length <= SLOTS)) open.push(item);
    else give(item, slot, uses);
  }
  for (const item of open) {
    const least = Math.min(...uses);
    let slot = item.rank % SLOTS;
    while (uses[slot] > least) slot = (slot + 1) % SLOTS;
    give(item, slot, uses);
    kept.set(item.ref, slot);
  }
}

function give(item, slot, uses) {
  item.slot = slot;
  item.dash = Math.min(2, uses[slot]);
  uses[slot] += 1;
}

/** The slot of what is not in charts, for its hollow swatch. */
export const slotOf = item => item.slot ?? kept.get(item.ref) ?? byHand().get(item.short) ?? item.rank % SLOTS;
export const colorOf = item => theme.run[slotOf(item)];
export const cssColor = item => `var(--run-${slotOf(item) + 1})`;
