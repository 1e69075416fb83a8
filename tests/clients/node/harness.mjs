// Runs the checks of one client and prints what came of each as a line of JSON; the plan comes on standard input.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

const CHECK_TIMEOUT_MS = 20_000;

export class NotHere extends Error {} // the client itself has no such thing in this dialect; says why

export const plan = JSON.parse(readFileSync(0, 'utf8'));
export const said = plan.said; // what the scripted model says: see `said` in test_frameworks.py

export const tools = {
  weather: ({ city }) => `${said.cities[city]} degrees in ${city}`,
  now: () => 'noon',
};

export const schemas = {
  weather: {
    type: 'object',
    properties: { city: { type: 'string' } },
    required: ['city'],
    additionalProperties: false,
  },
  now: { type: 'object', properties: {}, required: [], additionalProperties: false },
};

export const question = 'script:weather In Oslo and in 北京?';

export async function run(checks) {
  for (const [dialect, models] of Object.entries(plan.places))
    for (const model of models)
      for (const [name, check] of Object.entries(checks))
        if (!plan.only?.length || plan.only.includes(name)) console.log(JSON.stringify(await outcome(name, check, { dialect, model })));
  process.exit(0); // clients keep lines open
}

async function outcome(check, function_, place) {
  const began = performance.now();
  let timer;
  const late = new Promise((_, fail) => {
    timer = setTimeout(() => fail(new Error('too slow')), CHECK_TIMEOUT_MS);
  });
  let error = '';
  try {
    await Promise.race([function_({ ...place, address: plan.address, openai: `${plan.address}/v1`, key: plan.key }), late]);
  } catch (problem) {
    if (problem instanceof NotHere) return { check, ...place, skip: problem.message };
    error = `${problem?.stack ?? problem}\n${JSON.stringify(problem?.responseBody ?? problem?.error ?? '')}`;
  } finally {
    clearTimeout(timer);
  }
  return { check, ...place, error, seconds: Math.round(performance.now() - began) / 1000 };
}

export { assert };
