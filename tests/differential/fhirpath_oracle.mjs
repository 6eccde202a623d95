// Our FHIRPath against fhirpath.js (tests/differential/package.json): random expressions over fixture.json,
// the same seed the same expressions.
//
//   node fhirpath_oracle.mjs TOOL PACK [COUNT [SEED]]      exit 1 when they differ, 77 when it or the
//                                                            definitions are not installed
//
// Numbers agree when they differ by less than what a double and eight decimals lose: fhirpath.js calculates
// with doubles.  Where both fail, both fail; the words do not count.  What the two understand differently, with
// the reason, is in `known` and is counted.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const [tool, pack, count = '4000', seed = '1'] = process.argv.slice(2);

let fhirpath, r4;
try {
    const require = createRequire(import.meta.url);
    fhirpath = require('fhirpath');
    r4 = require('fhirpath/fhir-context/r4');
} catch {
    console.log('fhirpath.js is not installed: scripts/bootstrap --differential');
    process.exit(77);
}

if (!existsSync(pack)) {
    console.log(`no definitions: ${pack}`);
    process.exit(77);
}

// ---- chance ---------------------------------------------------------------------------------------------

let state = Number(seed) >>> 0;
const chance = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
};
const below = n => Math.floor(chance() * n);
const pick = list => list[below(list.length)];

// ---- expressions by what they give -----------------------------------------------------------------------

const leaf = {
    string: ["'a'", "'A-001'", "'Zürich'", "''", "'one two'", 'status', 'code.text', 'id', 'subject.display', 'note[1].text',
        'component.value.ofType(string)', 'meta.versionId', 'contained.name.family', '{}', 'identifier.first().value'],
    strings: ['code.coding.code', 'identifier.value', 'note.text', 'component.code.text', 'contained.name.given', 'extension.url',
        "('a' | 'b' | 'a')", 'meta.profile'],
    integer: ['0', '1', '3', '-2', '12', 'extension.value.ofType(integer)', 'component.count()', '{}',
        'component[0].value.ofType(integer)'],
    integers: ['component.value.ofType(integer)', '(1 | 2 | 3)', '(3 | 3)', '(0 | -5)'],
    decimal: ['1.5', '0.25', '-3.125', '10.0', 'value.value', 'referenceRange.low.value.first()', '2'],
    boolean: ['true', 'false', '{}', 'contained.active', 'component.value.ofType(boolean)', 'code.coding.userSelected'],
    date: ['@2026-11-22', '@2026-11', '@2025', 'contained.birthDate', '@1971-03-02'],
    dateTime: ['effective', 'issued', '@2026-11-22T09:30:00-05:00', '@2026-11-22T14:30:00.0Z', '@2026-12-01T00:00:00Z'],
    time: ['@T10:30', '@T10:30:15', '@T23:59:59.500'],
    mass: ["5 'mg'", "0.005 'g'", "12.5 'mg'", "2.0 'kg'", 'value'],
    duration: ['7 days', "1 'wk'", '2 weeks', "3 'd'", '36 hours'],
    nodes: ['code.coding', 'identifier', 'component', 'extension', 'note', 'referenceRange', 'contained', 'category.coding',
        'contained.name', 'component.code', 'method', '$this', 'subject'],
};
const criteria = ['code.exists()', 'text.exists()', "system = 'http://example.org/codes'", 'value.exists()', '$index > 0', "code = 'one'",
    'display.empty()', 'children().count() > 1', 'value is string', '(value as integer) > 0', 'use.exists() or value.exists()', 'extension.empty()'];
const children = ['code', 'text', 'value', 'system', 'display', 'low', 'high', 'coding', 'extension', 'given', 'reference'];

const rules = {
    string: [
        () => `(${gen('string')} & ${gen('string')})`, () => `${gen('string')}.upper()`, () => `${gen('string')}.lower()`,
        () => `${gen('string')}.substring(${below(4)})`, () => `${gen('string')}.substring(${below(4)}, ${below(4)})`,
        () => `${gen('string')}.replace('${pick(['a', 'e', '-'])}', '${pick(['', 'x', 'yy'])}')`,
        () => `${gen('strings')}.first()`, () => `${gen('strings')}.last()`, () => `${gen('integer')}.toString()`,
        () => `${gen('boolean')}.toString()`, () => `${gen('strings')}.join('${pick([',', '', '; '])}')`,
        () => `${gen('string')}.replaceMatches('${pick(['[a-c]', '\\\\d+', '^.', 'e|o'])}', '${pick(['', '_', '<'])}')`,
        () => `iif(${gen('boolean')}, ${gen('string')}, ${gen('string')})`, () => `${gen('date')}.toString()`,
        () => `${gen('string')}.trim()`, () => `${gen('string')}.encode('${pick(['hex', 'base64', 'urlbase64'])}')`, () => `(${gen('string')} & 'é').encode('base64').decode('base64')`,
        () => `${gen('string')}.escape('${pick(['html', 'json'])}')`, () => `${gen('string')}.escape('html').unescape('html')`,
        () => `${gen('strings')}.where($index = ${below(3)}).single()`, () => `(${gen('string')} + ${gen('string')})`, () => `${gen('strings')}[${below(4)}]`,
    ],
    strings: [
        () => `(${gen('strings')} | ${gen('strings')})`, () => `${gen('strings')}.where($this.length() > ${below(6)})`,
        () => `${gen('strings')}.select($this.substring(${below(3)}))`, () => `${gen('strings')}.distinct()`,
        () => `${gen('strings')}.skip(${below(3)})`, () => `${gen('strings')}.take(${below(4)})`, () => `${gen('strings')}.tail()`,
        () => `${gen('strings')}.combine(${gen('string')})`, () => `${gen('strings')}.intersect(${gen('strings')})`,
        () => `${gen('strings')}.exclude(${gen('strings')})`, () => `${gen('string')}.toChars()`,
        () => `${gen('strings')}.repeat(iif($this.length() > 1, $this.substring(1), {}))`, () => `${gen('string')}.split('${pick([' ', '-', 'e'])}')`,
    ],
    integer: [
        () => `(${gen('integer')} ${pick(['+', '-', '*'])} ${gen('integer')})`, () => `(${gen('integer')} ${pick(['div', 'mod'])} ${1 + below(4)})`,
        () => `${gen('string')}.length()`, () => `${gen('string')}.indexOf('${pick(['a', 'e', 'z', ''])}')`, () => `${gen('string')}.lastIndexOf('${pick(['a', 'e', 'z'])}')`, () => `${gen('nodes')}.count()`,
        () => `${gen('strings')}.count()`, () => `(${gen('decimal')}).${pick(['ceiling', 'floor', 'truncate'])}()`, () => `(${gen('integer')}).abs()`,
        () => `-(${gen('integer')})`, () => `${gen('integers')}.${pick(['first', 'last'])}()`, () => `${gen('integers')}.aggregate($this + $total, 0)`,
        () => `'${pick(['7', '-3', 'x', '1.5', '+2'])}'.toInteger()`, () => `${gen('boolean')}.toInteger()`, () => `${gen('nodes')}.descendants().count()`,
    ],
    integers: [
        () => `(${gen('integers')} | ${gen('integer')})`, () => `${gen('integer')}.combine(${gen('integers')})`, () => `${gen('integers')}.union(${gen('integer')})`, () => `${gen('integers')}.where($this > ${below(3)})`, () => `${gen('integers')}.select($this * 2)`,
        () => `${gen('strings')}.select($this.length())`, () => `${gen('nodes')}.select($index)`, () => `${gen('integers')}.distinct()`,
    ],
    decimal: [
        () => `(${gen('decimal')} ${pick(['+', '-', '*'])} ${gen('decimal')})`, () => `(${gen('decimal')} / ${pick(['2', '0.5', '4', '3'])})`,
        () => `(${gen('decimal')}).round(${below(4)})`, () => `${pick(['1.587', '(-1.587)', '120', '0.25', '3.5'])}.${pick(['lowBoundary', 'highBoundary'])}(${below(6)})`, () => `(${gen('decimal')}).abs()`, () => `(${gen('integer')}).toDecimal()`,
        () => `${1 + below(9)}.${pick(['sqrt', 'ln', 'exp'])}()`, () => `${1 + below(9)}.power(${below(4)})`, () => `'${pick(['1.25', '-0.5', 'x'])}'.toDecimal()`,
    ],
    boolean: [
        () => `(${gen('boolean')} ${pick(['and', 'or', 'xor', 'implies'])} ${gen('boolean')})`, () => `(${gen('boolean')}).not()`,
        () => `(${gen('string')} ${pick(['=', '!=', '~', '!~', '<', '>='])} ${gen('string')})`, () => `(${gen('integer')} ${pick(['=', '!=', '<', '<=', '>', '>='])} ${gen('decimal')})`,
        () => `(${gen('strings')} ${pick(['=', '!=', '~'])} ${gen('strings')})`, () => `(${gen('decimal')} ${pick(['~', '!~'])} ${gen('decimal')})`, () => `(${gen('string')} in ${gen('strings')})`,
        () => `(${gen('strings')} contains ${gen('string')})`, () => `${gen('nodes')}.${pick(['exists', 'empty', 'isDistinct'])}()`,
        () => `${gen('nodes')}.exists(${pick(criteria)})`, () => `${gen('nodes')}.all(${pick(criteria)})`, () => `(${gen('strings')}).subsetOf(${gen('strings')})`,
        () => `(${gen('strings')}).supersetOf(${gen('strings')})`, () => `${gen('string')}.${pick(['startsWith', 'endsWith', 'contains'])}('${pick(['a', '', 'one', 'Z'])}')`,
        () => `${gen('string')}.matchesFull('${pick(['.*', '[a-z]+', 'one two'])}')`,
        () => `${gen('string')}.matches('${pick(['^[a-z]+$', 'n', '\\\\d', '^.{3}$', '(a|o)n'])}')`, () => `(${gen('date')} ${pick(['=', '<', '>', '<=', '!=', '~'])} ${gen('date')})`,
        () => `(${gen('dateTime')} ${pick(['=', '<', '>', '>='])} ${gen('dateTime')})`, () => `(${gen('time')} ${pick(['=', '<', '>'])} ${gen('time')})`,
        () => `(${gen('mass')} ${pick(['=', '<', '>', '!=', '~'])} ${gen('mass')})`, () => `(${gen('duration')} ${pick(['=', '<', '>', '!='])} ${gen('duration')})`,
        () => `(value is ${pick(['Quantity', 'string', 'Period', 'FHIR.Quantity'])})`,
        () => `(${gen('integer')} is ${pick(['Integer', 'System.Integer', 'System.String'])})`, () => `(${gen('nodes')} = ${gen('nodes')})`, () => `(${gen('nodes')} ~ ${gen('nodes')})`,
        () => `${gen('string')}.convertsTo${pick(['Integer', 'Decimal', 'Boolean', 'String', 'Date', 'Time'])}()`, () => `(true | ${pick(['true', 'false'])}).${pick(['allTrue', 'anyTrue', 'allFalse', 'anyFalse'])}()`,
        () => `(effective is ${pick(['dateTime', 'Period', 'FHIR.dateTime'])})`, () => `status.hasValue()`, () => `${gen('nodes')}.where(${pick(criteria)}).exists()`,
    ],
    date: [() => `${gen('date')}.${pick(['lowBoundary', 'highBoundary'])}(${pick([4, 6, 8])})`, () => `(${gen('date')} ${pick(['+', '-'])} ${1 + below(30)} ${pick(['days', 'months', 'years', 'weeks'])})`, () => `'${pick(['2026-11-22', '2026-02', 'x', '2026-13'])}'.toDate()`],
    dateTime: [() => `(${gen('dateTime')} ${pick(['+', '-'])} ${1 + below(90)} ${pick(['minutes', 'hours', 'days', 'months'])})`],
    time: [() => `(${gen('time')} + ${1 + below(50)} ${pick(['minutes', 'hours'])})`],
    mass: [() => `(${gen('mass')} ${pick(['+', '-'])} ${gen('mass')})`, () => `'${pick(["5 \\'mg\\'", 'x'])}'.toQuantity()`, () => `(${gen('mass')} * ${1 + below(5)})`],
    duration: [() => `'${pick(['3 days', '1 week', 'x'])}'.toQuantity()`],
    nodes: [
        () => `${gen('nodes')}.where(${pick(criteria)})`, () => `${gen('nodes')}.${pick(children)}`, () => `${gen('nodes')}.${pick(['first', 'last', 'tail', 'children'])}()`,
        () => `${gen('nodes')}[${below(3)}]`, () => `${gen('nodes')}.skip(${below(3)})`, () => `${gen('nodes')}.take(${below(3)})`, () => `(${gen('nodes')} | ${gen('nodes')})`,
        () => `${gen('nodes')}.combine(${gen('nodes')})`, () => `${gen('nodes')}.distinct()`, () => `${gen('nodes')}.intersect(${gen('nodes')})`, () => `${gen('nodes')}.exclude(${gen('nodes')})`,
        () => `extension('http://example.org/${pick(['count', 'label', 'nested', 'none'])}')`, () => `${gen('nodes')}.ofType(${pick(['Coding', 'Identifier', 'CodeableConcept', 'Quantity'])})`,
        () => `${gen('nodes')}.repeat(${pick(['extension', 'coding', 'children()'])})`, () => `${gen('nodes')}.select(${pick(children)})`, () => `${gen('nodes')}.trace('x')`,
    ],
};
let depth = 0;
function gen(kind) {
    if (depth >= 3 || chance() < 0.3)
        return pick(leaf[kind] ?? leaf.string);
    depth++;
    const text = pick(rules[kind])();
    depth--;
    return text;
}

// ---- what the two understand differently -------------------------------------------------------------------

const known = [
    // R4's own que-7 needs the operator to take a primitive of FHIR for its system type.
    { where: /(extension|component)[^ ]* is Integer/, when: (ours, theirs) => ours !== null },
    // It has no minus for a primitive of FHIR, only for a number of its own.
    { where: /-\((extension|component)/, when: (ours, theirs) => /Unary - can only/.test(theirs) },
    // It fails where the operand of a sign is empty; N1 has operators on nothing give nothing.
    { where: /-/, when: (ours, theirs) => ours !== null && /Unary - can only/.test(theirs) },
    // It rounds -0.5 up to 0; ours takes halves away from zero, as HAPI does.
    { where: /-[\d.]+.*\.round\(/, when: (ours, theirs) => ours?.length === 1 && typeof theirs[0] === 'number' },
    // It gives a primitive that children() found a `value`, and one that a name found none.
    { where: /children\(\).*value/, when: (ours, theirs) => ours !== null && theirs.length === ours.length + 1 },
    // It encodes the low bytes of UTF-16, not UTF-8.
    { where: /encode\(/, when: (ours, theirs) => ours !== null && Array.isArray(theirs) },
];

// ---- comparing ----------------------------------------------------------------------------------------------

const unescape = s => s.replace(/\\(.)/g, (_, c) => (c === 't' ? '\t' : c === 'n' ? '\n' : c));
const close = (a, b) => Math.abs(a - b) <= 1e-7 * Math.max(1, Math.abs(a), Math.abs(b));

function same(ours, theirs) {
    if (ours === 'object')
        return typeof theirs === 'object';
    const cut = ours.indexOf('='), type = ours.slice(0, cut), text = unescape(ours.slice(cut + 1));
    if (typeof theirs === 'number')
        return /Integer|Decimal|integer|decimal|Int$/.test(type) && close(Number(text), theirs);
    if (typeof theirs === 'boolean')
        return /oolean$/.test(type) && text === String(theirs);
    if (/Quantity$/.test(type)) {
        const a = /^(\S+) (.*)$/.exec(text), b = /^(\S+) (.*)$/.exec(String(theirs));
        return a !== null && b !== null && close(Number(a[1]), Number(b[1])) && a[2] === b[2];
    }
    if (/[dD]ateTime$|instant$/.test(type))          // fhirpath.js moves to UTC when it calculates
        return typeof theirs === 'string' && Date.parse(text) === Date.parse(theirs.replace('-00:00', 'Z'));
    return typeof theirs === 'string' && text === theirs;
}

function theirAnswer(resource, expression) {
    try {
        return fhirpath.evaluate(resource, expression, {}, r4, { resolveInternalTypes: true, traceFn: () => {} });
    } catch (e) {
        return String(e.message ?? e).split('\n')[0];
    }
}

const path = join(here, 'fixture.json');
const resource = JSON.parse(readFileSync(path, 'utf8'));
const kinds = Object.keys(rules);
const expressions = Array.from({ length: Number(count) }, () => gen(pick(kinds)));
const answers = execFileSync(tool, [pack, path], { input: expressions.join('\n') + '\n', maxBuffer: 1 << 28 }).toString().split('\n');

let differ = 0, agreed = 0, failed = 0, excused = 0;
expressions.forEach((expression, i) => {
    const theirs = theirAnswer(resource, expression), ours = answers[i];
    const items = ours.startsWith('!') ? null : ours === '' ? [] : ours.split('\t');
    const bad = typeof theirs === 'string';
    if (items === null && bad) {
        failed++;
    } else if (items !== null && !bad && items.length === theirs.length && items.every((one, k) => same(one, theirs[k]))) {
        agreed++;
    } else if (known.some(k => k.where.test(expression) && (k.when === undefined || k.when(items, theirs)))) {
        excused++;
    } else if (++differ <= 40) {
        console.log(`${expression}\n  ours   ${ours.slice(0, 300)}\n  theirs ${bad ? '!' + theirs : JSON.stringify(theirs).slice(0, 300)}`);
    }
});
console.log(`${expressions.length} expressions, seed ${seed}: ${agreed} agree, ${failed} fail in both, ${excused} known, ${differ} differ`);
process.exit(differ === 0 ? 0 : 1);
