// Reads what stands in the vectors of this directory: described texts and tagged values. See README.md.

/** An extension's value, whatever its name. */
export class Extension {
	constructor(name, value) {
		this.name = name;
		this.value = value;
	}
}

/** Writes a text out that a vector describes by its parts. */
export function expand(text) {
	if (typeof text === 'string') return text;
	return text.concat
		.map((part) => {
			if (typeof part === 'string') return part;
			if (part.repeat) return part.repeat[0].repeat(part.repeat[1]);
			const [pattern, from, to] = part.series;
			const items = [];
			for (let n = from; n <= to; n += 1) items.push(pattern.replaceAll('#', String(n)));
			return items.join(',');
		})
		.join('');
}

const buffer = (base64) => Uint8Array.from(Buffer.from(base64, 'base64')).buffer;

/** Makes the JavaScript value that a tagged value stands for. */
export function untag(tagged, known = new Map()) {
	if (Array.isArray(tagged)) return fill([], tagged, known);
	if (tagged === null || typeof tagged !== 'object') return tagged;
	const [[tag, body]] = Object.entries(tagged);
	switch (tag) {
		case '$undefined': return undefined;
		case '$number': return Number(body);
		case '$bigint': return BigInt(body);
		case '$bytes': return buffer(body);
		case '$view': return buffer(body[0]).slice(body[1], body[2]);
		case '$date': return new Date(body.replace(/(\.\d{3})\d*/, '$1'));
		case '$utf16': return String.fromCharCode(...(body.match(/.{4}/g) ?? []).map((unit) => parseInt(unit, 16)));
		case '$ref': return known.get(body);
		case '$extension': return new Extension(body[0], untag(body[1], known));
		case '$def': {
			const empty = Array.isArray(body[1]) ? [] : { $object: {}, $map: new Map(), $set: new Set() }[Object.keys(body[1])[0]];
			const value = empty && !(empty.constructor === Object) ? empty : (empty ?? untag(body[1], known));
			known.set(body[0], value);
			return empty ? fill(value, body[1], known) : value;
		}
		case '$object': return fill({}, tagged, known);
		case '$map': return fill(new Map(), tagged, known);
		case '$set': return fill(new Set(), tagged, known);
		default: throw new Error(`no such tag: ${tag}`);
	}
}

function fill(empty, tagged, known) {
	if (Array.isArray(empty)) for (const item of tagged) empty.push(untag(item, known));
	else if (empty instanceof Map) for (const [key, value] of tagged.$map) empty.set(untag(key, known), untag(value, known));
	else if (empty instanceof Set) for (const item of tagged.$set) empty.add(untag(item, known));
	else
		for (const [name, value] of tagged.$object) {
			// an assignment to `__proto__` would make no member
			const member = { value: untag(value, known), enumerable: true, configurable: true, writable: true };
			Object.defineProperty(empty, untag(name, known), member);
		}
	return empty;
}

/** Writes a JavaScript value as a tagged value. */
export function tag(value) {
	if (value === undefined) return { $undefined: true };
	if (typeof value === 'bigint') return { $bigint: String(value) };
	if (typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0))) return { $number: Object.is(value, -0) ? '-0' : String(value) };
	if (value === null || typeof value !== 'object') return value;
	if (Array.isArray(value)) return value.map(tag);
	if (value instanceof Date) return { $date: value.toISOString() };
	if (value instanceof ArrayBuffer) return { $bytes: Buffer.from(value).toString('base64') };
	if (value instanceof Map) return { $map: [...value].map(([key, item]) => [tag(key), tag(item)]) };
	if (value instanceof Set) return { $set: [...value].map(tag) };
	if (value instanceof Extension) return { $extension: [value.name, tag(value.value)] };
	return { $object: Object.entries(value).map(([name, item]) => [name, tag(item)]) };
}

/** Compares two texts by UTF-16 code units, which is what JavaScript's `<` does. */
const by_units = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

/**
 * Makes the normal form of an argument (KEY-1).
 *
 * @param encode writes the payload text of a scalar, by which keys and items are ordered
 */
export function normalise(value, encode) {
	if (Object.is(value, -0)) return 0;
	if (value === null || typeof value !== 'object') return value;
	if (value instanceof Date) return new Date(value);
	if (value instanceof ArrayBuffer) return value.slice(0);
	if (Array.isArray(value)) return value.map((item) => normalise(item, encode));
	if (value instanceof Extension) return new Extension(value.name, normalise(value.value, encode));
	if (value instanceof Map) return new Map(sorted([...value], ([key]) => key, encode).map(([key, item]) => [normalise(key, encode), normalise(item, encode)]));
	if (value instanceof Set) return new Set(sorted([...value], (item) => item, encode).map((item) => normalise(item, encode)));
	const names = Object.keys(value).filter((name) => value[name] !== undefined).sort(by_units);
	return Object.fromEntries(names.map((name) => [name, normalise(value[name], encode)]));
}

// The items are wrapped because Array.prototype.sort puts undefined last whatever the comparison says.
function sorted(items, scalar, encode) {
	const wrapped = items.map((item) => {
		const key = scalar(item);
		if (key !== null && typeof key === 'object' && !(key instanceof Date)) throw new Error('no normal form');
		return { item, text: encode(normalise(key, encode)) };
	});
	if (new Set(wrapped.map(({ text }) => text)).size < items.length) throw new Error('no normal form');
	return wrapped.sort((a, b) => by_units(a.text, b.text)).map(({ item }) => item);
}
