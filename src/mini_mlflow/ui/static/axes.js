// How does an x axis read: steps, clock times, time since the start, another metric?
import { num, tick, span, moment, clock } from './format.js';
import { evenSplits, logSplits, roundStep, timeSplits } from './ticks.js';

const HOUR = 3600;
const STEPS_OF_TIME = [0.001, 0.01, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, 24 * HOUR, 48 * HOUR, 96 * HOUR, 168 * HOUR, 336 * HOUR, 720 * HOUR, 2160 * HOUR, 8760 * HOUR, 43800 * HOUR, 87600 * HOUR, 438000 * HOUR];

/** The short text of a duration on an axis: 30 s, 10 min, 1:30 h, 2 d. */
function short(seconds) {
  if (seconds === 0) return '0';
  if (seconds < 60) return `${tick(seconds)} s`;
  if (seconds < HOUR) return `${tick(seconds / 60)} min`;
  if (seconds < 48 * HOUR) return seconds % HOUR ? `${Math.floor(seconds / HOUR)}:${String(Math.round((seconds % HOUR) / 60)).padStart(2, '0')} h` : `${seconds / HOUR} h`;
  return `${tick(seconds / 86400)} d`;
}

/** What uPlot needs to know of an x axis. */
export function axisOfX(kind) {
  const splits = (u, axis, low, high, step) => evenSplits(low, high, step);
  if (kind === 'time') {
    return {
      space: (u, axis, low, high) => (high - low < 8000 ? 88 : 70), incrs: STEPS_OF_TIME.map(seconds => seconds * 1000), splits: (u, axis, low, high, step) => timeSplits(low, high, step),
      values: (u, ticks, axis, space, step) => ticks.map(at => clock(at, step)),
    };
  }
  if (kind === 'relative') return { space: 64, incrs: STEPS_OF_TIME, splits, values: (u, ticks) => ticks.map(short) };
  const values = (u, ticks) => ticks.map(tick);
  if (kind !== 'step') return { ...ownSteps(64, (low, high, width) => evenSplits(low, high, roundStep(low, high, width / 64))), values };
  return { space: 64, incrs: Array.from({ length: 19 }, (_, power) => [1, 2, 5].map(digit => digit * 10 ** power)).flat(), splits, values };
}

/** An axis whose ticks are found without the steps that uPlot knows, none of which is below 1e-16 or above 1e32. */
function ownSteps(space, find) {
  return { space, incrs: (u, axis, low, high) => [Math.max(5, high - low)], splits: (u, axis, low, high, step, room) => find(low, high, (room * (high - low)) / step) };
}

const [RULE, LABEL] = [34, 24]; // least pixels between ticks: where there are many values to choose from, and on a log axis

/**
 * What uPlot needs to know of the y axis of a chart.
 * @param {{isLog: boolean}} chart asked whenever the axis is drawn
 */
export const axisOfY = chart => ownSteps(RULE, (low, high, height) => (chart.isLog ? logSplits(low, high, Math.floor(height / LABEL)) : evenSplits(low, high, roundStep(low, high, height / RULE))));

/** A place on the x axis in words: "step 850". */
export function placeText(kind, at) {
  if (kind === 'step') return `step ${num(at)}`;
  if (kind === 'time') return moment(at, true);
  if (kind === 'relative') return span(at);
  return `${kind.replace(/^metrics\./, '')} ${num(at)}`;
}

/** A zoom in words: "step 500–1,000". */
export function rangeText(kind, [from, to]) {
  if (kind === 'time') return `${moment(from)} – ${moment(to)}`;
  if (kind === 'relative') return `${short(from)} – ${short(to)}`;
  return `${kind.replace(/^metrics\./, '')} ${num(from)}–${num(to)}`;
}

/** The x axes by their place in the menu. */
export const X_KINDS = [['step', 'step'], ['time', 'time'], ['relative', 'relative time']];
export const xName = kind => X_KINDS.find(each => each[0] === kind)?.[1] || kind.replace(/^metrics\./, '');
