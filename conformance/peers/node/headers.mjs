// Reading what HTTP gives as text: fields, media types, Accept, query components, cookies
// (sections 8 and 18).

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const QUOTED = '"(?:[^"\\\\]|\\\\.)*"';
const MEDIA_TYPE = new RegExp(`^(${TOKEN}/${TOKEN})((?:[ \\t]*;[ \\t]*(?:${TOKEN}=(?:${TOKEN}|${QUOTED}))?)*)$`);
const PARAMETER = new RegExp(`;[ \\t]*(${TOKEN})=(${TOKEN}|${QUOTED})`, 'g');
const unquote = (s) => (s[0] === '"' ? s.slice(1, -1).replace(/\\(.)/g, '$1') : s);

const trim = (s) => s.replace(/^[ \t]+|[ \t]+$/g, '');      // HTTP-16

export class Fields {                           // all header fields of a request, with repetitions
  constructor(raw) {
    this.pairs = [];
    for (let i = 0; i < raw.length; i += 2) this.pairs.push([raw[i].toLowerCase(), trim(raw[i + 1])]);
  }
  all(name) { return this.pairs.filter(([n]) => n === name).map(([, v]) => v); }
  one(name) { const values = this.all(name); return values.length === 1 ? values[0] : undefined; }
  list(name) { return splitList(this.all(name).join(',')); }
  get size() { return this.pairs.reduce((n, [name, value]) => n + name.length + value.length, 0); }
}
const splitList = (text) => (text.match(new RegExp(`(?:[^,"]|${QUOTED}|")+`, 'g')) ?? []).map(trim).filter(Boolean);

export function mediaType(value) {              // {type, parameters} or null if it is not well-formed
  const match = MEDIA_TYPE.exec(value ?? '');
  if (!match) return null;
  const parameters = [...match[2].matchAll(PARAMETER)].map(([, n, v]) => [n.toLowerCase(), unquote(v)]);
  return { type: match[1].toLowerCase(), parameters };
}
const ENCODINGS = { 'application/wireflight+json': 'wireflight', 'application/json': 'plain' };
export function bodyEncoding(value) {           // HTTP-5: 'wireflight', 'plain' or undefined
  const media = mediaType(value);
  const charsets = (media?.parameters ?? []).filter(([n]) => n === 'charset');
  if (charsets.length > 1 || charsets.some(([, v]) => v.toLowerCase() !== 'utf-8')) return undefined;
  return ENCODINGS[media?.type];
}

export const namesEncoding = (value) => ENCODINGS[mediaType(value)?.type] !== undefined;   // SEC-2, step 3: no parameters

export function responseEncoding(fields, query) {   // HTTP-9
  const best = { wireflight: 0, plain: 0 };
  for (const range of fields.list('accept')) {
    const media = mediaType(range), name = ENCODINGS[media?.type];
    if (!name) continue;
    const q = media.parameters.find(([n]) => n === 'q')?.[1] ?? '1';
    if (/^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.test(q)) best[name] = Math.max(best[name], Number(q));
  }
  if (best.wireflight || best.plain) return best.wireflight >= best.plain ? 'wireflight' : 'plain';
  const names = fields.all('content-type').some((v) => mediaType(v)?.type === 'application/wireflight+json');
  return query.some(([name]) => name === 'payload') || names ? 'wireflight' : 'plain';
}

// Bytes of a part of the query component, or null for a malformed escape.
export function decodePart(text) {
  if (/%(?![0-9A-Fa-f]{2})/.test(text)) return null;
  return Buffer.from(text.replaceAll('+', ' ').replace(/%(..)/g, (_, hex) => String.fromCharCode(parseInt(hex, 16))), 'latin1');
}
export const queryParts = (search) => search.split('&').filter(Boolean).map((part) => {
  const i = part.indexOf('=');
  return [decodePart(i < 0 ? part : part.slice(0, i))?.toString(), i < 0 ? '' : part.slice(i + 1)];
});

export function cookies(fields) {
  const jar = new Map();
  for (const pair of fields.all('cookie').join(';').split(';')) {
    const i = pair.indexOf('=');
    if (i > 0 && !jar.has(trim(pair.slice(0, i)))) jar.set(trim(pair.slice(0, i)), trim(pair.slice(i + 1)));
  }
  return jar;
}
