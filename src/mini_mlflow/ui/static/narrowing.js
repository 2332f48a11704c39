// How does a condition come into the filter, and out of it again, so that the rest means what it meant?

const OWN = /^status = '(\w+)'$/i;
/** A part of a filter as it can stand beside others: "or" binds less than "and". */
const apart = text => (/\bor\b/i.test(text) ? `(${text})` : text);
/** What `apart` put brackets around, without them. */
const together = text => (/\bor\b/i.test(text) && isEnclosed(text) ? text.slice(1, -1) : text);

/** Whether the bracket that a text begins with is closed by its last character; those in quotes are none. */
function isEnclosed(text) {
  let depth = 0;
  for (const { 0: sign, index } of text.matchAll(/'[^']*'|"[^"]*"|`[^`]*`|./gs)) {
    if (sign === '(') depth += 1;
    else if (sign === ')') depth -= 1;
    if (depth === 0) return sign === ')' && index === text.length - 1;
  }
  return false;
}

/** A filter with more conditions, all of which must hold. */
export const alsoWith = (text, parts) => [text.trim() && apart(text.trim()), ...parts].filter(Boolean).join(' and ');

/**
 * The status that a filter asks for with all else, and the filter without it.
 * @param {string} text
 * @returns {{status: ?string, rest: string}}
 */
export function splitStatus(text) {
  const whole = OWN.exec(text.trim());
  if (whole) return { status: whole[1], rest: '' };
  const last = /^(.*\S)\s+and\s+status = '(\w+)'\s*$/is.exec(text);
  if (last && (!/\bor\b/i.test(last[1]) || isEnclosed(last[1].trim()))) return { status: last[2], rest: together(last[1].trim()) };
  const first = /^\s*status = '(\w+)'\s+and\s+(\S.*)$/is.exec(text);
  if (first && !/\bor\b/i.test(first[2])) return { status: first[1], rest: first[2] };
  return { status: null, rest: text };
}

/** A text in the quotes that it does not hold itself; null where it holds both: the grammar has no way to write it. */
export const quoted = text => (!text.includes("'") ? `'${text}'` : !text.includes('"') ? `"${text}"` : null);
