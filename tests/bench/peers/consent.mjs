// tests/bench/peers/consent.mjs -- another consent engine, for tests/bench/run_consent.py.
//
//     node consent.mjs TIMES BUNDLE CONSENTS
//
// @asushares/core: labels a Bundle by its own default rules, decides over the Consents (R5's form, which it reads) and
// drops what its labels say.  Warms up and writes a line that says so; then each line on stdin is a round: the Bundle so many times.
// Answered by one line of JSON: CPU seconds of this thread (its schedstat) a Bundle, for parsing and printing and for the engine.
// What it logs for every code goes nowhere: that is not what is compared.
import fs from 'node:fs';
import { createRequire } from 'node:module';
import readline from 'node:readline';

const require = createRequire(import.meta.url);
const { AbstractDataSharingEngine, AbstractSensitivityRuleProvider, DataSharingEngineContext } = require('@asushares/core');
const rules = require('@asushares/core/build/src/assets/sensitivity-rules.default.json');

const say = console.log;
console.log = () => {};

class Rules extends AbstractSensitivityRuleProvider {
  rulesSchema() { return null; }
  loadRulesFile() { return rules; }
}

class Engine extends AbstractDataSharingEngine {
  createAuditEvent() {}
}

function cpuSeconds() {
  return Number(fs.readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ')[0]) / 1e9;
}

const [times, bundle, file] = process.argv.slice(2);
const text = fs.readFileSync(bundle, 'utf8');
const consents = JSON.parse(fs.readFileSync(file, 'utf8'));
const provider = new Rules();
provider.reinitialize();
const engine = new Engine(provider, 0, true);

function round() {
  let parse = 0;
  let decide = 0;
  let kept = 0;
  for (let i = 0; i < Number(times); i++) {
    const context = new DataSharingEngineContext();
    const t0 = cpuSeconds();
    context.content = JSON.parse(text);
    const t1 = cpuSeconds();
    const card = engine.process(consents, context);
    const t2 = cpuSeconds();
    JSON.stringify(card.extension.content);
    const t3 = cpuSeconds();
    parse += t1 - t0 + t3 - t2;
    decide += t2 - t1;
    kept = card.extension.content.entry.length;
  }
  return { parse: parse / times, decide: decide / times, kept, codes: provider.rules.reduce((n, r) => n + r.allCodeObjects().length, 0) };
}

for (let warm = 0; warm < 3; warm++) {
  round();
}
say(JSON.stringify({ ready: true }));
for await (const line of readline.createInterface({ input: process.stdin })) {
  if (line === 'end') {
    break;
  }
  say(JSON.stringify(round()));
}
