// Where is uPlot? Its published minified file is a classic script; this hands it on as a module.

/** @type {any} */
export const uPlot = globalThis.uPlot;
