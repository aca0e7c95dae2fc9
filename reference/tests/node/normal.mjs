// The normal form of an argument, on top of devalue: equal arguments, equal texts.
import { stringify } from 'devalue';

export function normal(value) {
	if (Object.is(value, -0)) return 0;
	if (value === null || typeof value !== 'object') return value;
	if (value instanceof Date) return new Date(value);
	if (value instanceof ArrayBuffer) return value.slice(0);
	if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength).slice().buffer;
	if (Array.isArray(value)) return value.map(normal);
	if (value instanceof Set) return new Set(sorted([...value].map((item) => [item])).flat());
	if (value instanceof Map) return new Map(sorted([...value]).map(([key, item]) => [key, normal(item)]));
	const names = Object.keys(value).filter((name) => value[name] !== undefined).sort();
	return Object.fromEntries(names.map((name) => [name, normal(value[name])]));
}

// Members in the order of their scalar keys' own payload texts; `<` compares code units.
function sorted(members) {
	const texts = members.map(([key, ...rest]) => [stringify(normal(key)), [normal(key), ...rest]]);
	texts.sort(([a], [b]) => (a < b ? -1 : 1));
	if (texts.some(([text, [key]], i) => text === texts[i - 1]?.[0] || isContainer(key))) throw new Error('no normal form');
	return texts.map(([, member]) => member);
}

const isContainer = (key) => key !== null && typeof key === 'object' && !(key instanceof Date);
