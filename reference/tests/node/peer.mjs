// Answers JSON lines with JSON lines. A line in is a list of tagged values and texts:
//   {value: tagged}  ->  {stringified, normal}     {text}  ->  {restringified, tagged}
// Tagged values are built and read without devalue, so that nothing is compared with itself.
import { createInterface } from 'node:readline';
import { parse, stringify } from 'devalue';
import { normal } from './normal.mjs';

// A tagged value is null, a boolean or a string for itself, or a list that begins with a tag.
// A shared container is written once, as ["share", number, tagged], then as ["again", number].
function build(tagged, shared) {
	if (!Array.isArray(tagged)) return tagged;
	const [tag, ...rest] = tagged;
	const each = (items) => items.map((item) => build(item, shared));
	switch (tag) {
		case 'undefined': return undefined;
		case 'number': return rest[0] === '-0' ? -0 : Number(rest[0]);
		case 'bigint': return BigInt(rest[0]);
		case 'date': return new Date(rest[0]);
		case 'bytes': return Uint8Array.from(Buffer.from(rest[0], 'base64')).buffer;
		case 'array': return each(rest);
		case 'object': return Object.fromEntries(rest.map(([name, item]) => [name, build(item, shared)]));
		case 'map': return new Map(rest.map(each));
		case 'set': return new Set(each(rest));
		case 'share': return shared[rest[0]] = build(rest[1], shared);
		case 'again': return shared[rest[0]];
	}
	throw new Error(`unknown tag ${tag}`);
}

function tag(value) {
	switch (typeof value) {
		case 'undefined': return ['undefined'];
		case 'number': return ['number', Object.is(value, -0) ? '-0' : String(value)];
		case 'bigint': return ['bigint', String(value)];
		case 'boolean': case 'string': return value;
	}
	if (value === null) return null;
	if (value instanceof Date) return ['date', value.toISOString()];
	if (value instanceof ArrayBuffer) return ['bytes', Buffer.from(value).toString('base64')];
	if (value instanceof Map) return ['map', ...[...value].map(([key, item]) => [tag(key), tag(item)])];
	if (value instanceof Set) return ['set', ...[...value].map(tag)];
	if (Array.isArray(value)) return ['array', ...value.map(tag)];
	return ['object', ...Object.entries(value).map(([name, item]) => [name, tag(item)])];
}

function attempt(action) {
	try {
		return action();
	} catch (error) {
		return { error: String(error) };
	}
}

function answer(question) {
	if ('text' in question) {
		const value = parse(question.text);
		return { restringified: stringify(value), tagged: tag(value) };
	}
	const value = build(question.value, []);
	return { stringified: stringify(value), normal: attempt(() => stringify(normal(value))) };
}

for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
	const answers = JSON.parse(line).map((question) => attempt(() => answer(question)));
	process.stdout.write(JSON.stringify(answers) + '\n');
}
