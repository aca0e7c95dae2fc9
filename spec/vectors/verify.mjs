// Checks the vectors of this directory against npm devalue 6.0.3, the test peer of the encoding.
//
//   node verify.mjs [path of the devalue package]
//
// Checked: decode (what devalue reads from each accepted text), encode and canonical (the texts that
// it writes, byte for byte), payload (the canonical text behind each accepted payload), number, and
// the JSON side of plain. A vector with `differs` says why devalue cannot agree; it is red here if
// devalue agrees after all. Only what a vector accepts is checked: devalue is laxer than the protocol.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { isDeepStrictEqual } from 'node:util';

const here = dirname(fileURLToPath(import.meta.url));
const devalue = await import(
	process.argv[2] ? pathToFileURL(join(process.argv[2], existsSync(join(process.argv[2], 'index.js')) ? '' : 'src', 'index.js')).href : 'devalue'
);

/** An extension's value, whatever its name. */
class Extension {
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
	else for (const [name, value] of tagged.$object) empty[untag(name, known)] = untag(value, known);
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

const reducers = (name) => ({ [name]: (value) => value instanceof Extension && value.name === name && value.value });
const encode = (value) => devalue.stringify(value, reducers('fx.Money'));
const decode = (text) => devalue.parse(text, { 'fx.Money': (value) => new Extension('fx.Money', value) });

/** Compares two texts by UTF-16 code units, which is what JavaScript's `<` does. */
const by_units = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

/** Makes the normal form of an argument (KEY-1). */
export function normalise(value) {
	if (Object.is(value, -0)) return 0;
	if (value === null || typeof value !== 'object') return value;
	if (value instanceof Date) return new Date(value);
	if (value instanceof ArrayBuffer) return value.slice(0);
	if (Array.isArray(value)) return value.map(normalise);
	if (value instanceof Extension) return new Extension(value.name, normalise(value.value));
	if (value instanceof Map) return new Map(sorted([...value], ([key]) => key).map(([key, item]) => [normalise(key), normalise(item)]));
	if (value instanceof Set) return new Set(sorted([...value], (item) => item).map(normalise));
	const names = Object.keys(value).filter((name) => value[name] !== undefined).sort(by_units);
	return Object.fromEntries(names.map((name) => [name, normalise(value[name])]));
}

// The items are wrapped because Array.prototype.sort puts undefined last whatever the comparison says.
function sorted(items, scalar) {
	const wrapped = items.map((item) => {
		const key = scalar(item);
		if (key !== null && typeof key === 'object' && !(key instanceof Date)) throw new Error('no normal form');
		return { item, text: encode(normalise(key)) };
	});
	if (new Set(wrapped.map(({ text }) => text)).size < items.length) throw new Error('no normal form');
	return wrapped.sort((a, b) => by_units(a.text, b.text)).map(({ item }) => item);
}

const view = new DataView(new ArrayBuffer(8));
const checks = {
	decode(vector) {
		if (vector.verdict === 'reject') return;
		const text = vector.bytes_hex ? Buffer.from(vector.bytes_hex, 'hex').toString() : expand(vector.text);
		const value = decode(text);
		if ('value' in vector) same(tag(value), vector.value);
	},
	encode(vector) {
		if (vector.verdict === 'accept') same(encode(untag(vector.value)), vector.text);
	},
	canonical(vector) {
		if (vector.verdict === 'accept') return same(encode(normalise(untag(vector.value))), vector.text);
		if (![vector.code].flat().includes('no_normal_form') || vector.needs === 'equal_items') return;
		let text;
		try {
			text = encode(normalise(untag(vector.value)));
		} catch {
			return;
		}
		throw new Error(`has the normal form ${text}`);
	},
	payload(vector) {
		const payload = expand(vector.payload);
		if (vector.verdict === 'reject') return;
		const text = payload === '' ? '-1' : Buffer.from(payload, 'base64url').toString();
		const value = decode(text);
		if ('value' in vector) same(tag(value), vector.value);
		same(encode(normalise(value)), text);
		if (payload !== '') same(Buffer.from(text).toString('base64url'), payload);
	},
	number(vector) {
		if (vector.direction === 'read') {
			view.setFloat64(0, Number(vector.text));
			const readable = Number.isFinite(Number(vector.text)) && !Object.is(Number(vector.text), -0);
			same(readable, vector.verdict === 'accept');
			if (readable) same(view.getBigUint64(0).toString(16).padStart(16, '0'), vector.bits);
		} else {
			view.setBigUint64(0, BigInt(`0x${vector.bits}`));
			same(String(view.getFloat64(0)), vector.text);
		}
	},
	plain(vector) {
		if (vector.direction !== 'in' || vector.verdict === 'reject') return;
		const value = JSON.parse(vector.bytes_hex ? Buffer.from(vector.bytes_hex, 'hex').toString() : expand(vector.text));
		if ('value' in vector) same(tag(value), vector.value);
		if ('payload' in vector) same(Buffer.from(encode(normalise(value))).toString('base64url'), vector.payload);
	}
};

function same(found, wanted) {
	if (!isDeepStrictEqual(found, wanted)) throw new Error(`found ${JSON.stringify(found)}, wanted ${JSON.stringify(wanted)}`);
}

let wrong = 0;
for (const name of readdirSync(here).filter((name) => name.endsWith('.json')).sort()) {
	const file = JSON.parse(readFileSync(join(here, name), 'utf8'));
	const check = checks[file.kind];
	if (!check) continue;
	let differing = 0;
	for (const vector of file.vectors) {
		let fault;
		try {
			check(vector);
		} catch (error) {
			fault = error;
		}
		if (vector.differs) differing += 1;
		if (!fault === !vector.differs) continue;
		wrong += 1;
		console.log(`${name} ${vector.id}: ${fault ? fault.message.slice(0, 400) : 'devalue agrees; `differs` is wrong'}`);
	}
	console.log(`${name}: ${file.vectors.length} vectors, ${differing} where devalue differs`);
}
console.log(wrong ? `${wrong} vectors disagree` : 'all agree');
process.exitCode = wrong ? 1 : 0;
