// Argument types: each has check(value, at) -> value and a JSON Schema of its plain form (MAN-3).
// `at` is {path, issues, plain}: the place, the issues so far (section 13), and whether the argument is plain JSON.
import { readDate, readBytes, readBigint, isPlainObject } from './codec.mjs';

const issue = (at, code, params) => {
  at.issues.push({ path: at.path, code, message: `The value is refused: ${code}.`, ...(params && { params }) });
};
const inside = (at, ...names) => ({ ...at, path: [...at.path, ...names] });
const wrong = (at, expected) => issue(at, 'type', { expected });
const codePoints = (s) => { let n = 0; for (const _ of s) n++; return n; };

export const any = { schema: {}, check: (v) => v };
export const none = { schema: undefined, check: (v, at) => (v === undefined ? v : issue(at, 'unknown_member')) };

const number = (name, test) => ({ minimum, maximum } = {}) => ({
  schema: { type: name, minimum, maximum },
  check(v, at) {
    if (typeof v !== 'number' || !test(v)) return wrong(at, name);
    if (v < minimum) issue(at, 'minimum', { limit: minimum });
    if (v > maximum) issue(at, 'maximum', { limit: maximum });
    return v;
  },
});
export const integer = number('integer', Number.isSafeInteger);
export const double = number('number', () => true);

export const string = ({ min, max } = {}) => ({
  schema: { type: 'string', minLength: min, maxLength: max },
  check(v, at) {
    if (typeof v !== 'string') return wrong(at, 'string');
    if (codePoints(v) < min) issue(at, 'min_length', { limit: min });
    if (codePoints(v) > max) issue(at, 'max_length', { limit: max });
    return v;
  },
});
export const choice = (...choices) => ({
  schema: { enum: choices },
  check: (v, at) => (choices.includes(v) ? v : typeof v !== 'string' ? wrong(at, 'string') : issue(at, 'choice', { choices })),
});

// date, bytes and bigint: the type itself, or in plain JSON the text that PLAIN-3 writes for it (PLAIN-4)
const rich = (name, is, read, schema) => ({
  schema: { ...schema, 'x-wireflight': name },
  check(v, at) {
    if (at.plain && typeof v === 'string') v = read(v, at.limits);
    return v !== null && is(v) ? v : wrong(at, name);
  },
});
export const date = rich('date', (v) => v instanceof Date, readDate, { type: 'string', format: 'date-time' });
export const bytes = rich('bytes', (v) => v instanceof Uint8Array, readBytes, { type: 'string', contentEncoding: 'base64' });
export const bigint = rich('bigint', (v) => typeof v === 'bigint', readBigint, { type: 'string', pattern: '^(0|-?[1-9][0-9]*)$' });

export const array = (item, { max } = {}) => ({
  schema: { type: 'array', items: item.schema, maxItems: max },
  check(v, at) {
    if (!Array.isArray(v)) return wrong(at, 'array');
    if (v.length > max) issue(at, 'max_items', { limit: max });
    return v.map((x, i) => item.check(x, inside(at, i)));
  },
});
export const set = (item) => ({
  schema: { type: 'array', items: item.schema, uniqueItems: true, 'x-wireflight': 'set' },
  check(v, at) {
    if (!(v instanceof Set || (at.plain && Array.isArray(v)))) return wrong(at, 'set');
    const result = new Set();
    [...v].forEach((x, i) => {
      if (result.has(x)) issue(inside(at, i), 'duplicate');
      result.add(item.check(x, inside(at, i)));
    });
    return result;
  },
});
export const map = (key, value) => ({
  schema: { type: 'array', items: { type: 'array', prefixItems: [key.schema, value.schema] }, 'x-wireflight': 'map' },
  check(v, at) {
    if (!(v instanceof Map || (at.plain && Array.isArray(v)))) return wrong(at, 'map');
    const result = new Map();
    [...v].forEach((pair, i) => {
      if (!Array.isArray(pair) || pair.length !== 2) return wrong(inside(at, i), 'array');
      if (result.has(pair[0])) issue(inside(at, i, 0), 'duplicate');
      result.set(key.check(pair[0], inside(at, i, 0)), value.check(pair[1], inside(at, i, 1)));
    });
    return result;
  },
});
// A member is a type, or {type, optional: true} or {type, default}.
export const object = (members) => ({
  members,
  schema: {
    type: 'object', additionalProperties: false,
    properties: Object.fromEntries(Object.entries(members).map(([n, m]) => [n, (m.type ?? m).schema])),
    required: Object.keys(members).filter((n) => !members[n].type),
  },
  check(v, at) {
    if (v === undefined && at.path.length === 0) return issue(at, 'required');
    if (!isPlainObject(v)) return wrong(at, 'object');
    const result = {};
    for (const name of Object.keys(v)) if (!Object.hasOwn(members, name)) issue(inside(at, name), 'unknown_member');
    for (const [name, member] of Object.entries(members)) {
      const given = Object.hasOwn(v, name) ? v[name] : undefined;
      if (given !== undefined) result[name] = (member.type ?? member).check(given, inside(at, name));
      else if (!member.type) issue(inside(at, name), 'required');
      else if ('default' in member) result[name] = member.default;
    }
    return result;
  },
});
// Several parameters: an object on the wire, also where none is given (KEY-7).
export const parameters = (members) => {
  const type = object(members);
  return { ...type, several: true, check: (v, at) => type.check(v === undefined && Object.values(members).every((m) => m.type) ? {} : v, at) };
};
export const instance = (extension) => ({
  schema: { 'x-wireflight': extension.name },
  check: (v, at) => (v instanceof extension.type ? v : issue(at, 'invalid')),
});
