// What a real provider issues is taken, what it does not is not, and a rotation of its keys loses no request.
import { setTimeout as sleep } from 'node:timers/promises';

import { Gateway } from './gateway.mjs';
import { Issuer, key } from './provider.mjs';

const [mlgate, folder] = process.argv.slice(2);
const ROTATIONS = 3;
const LOOPS = 16;
let passed = 0;
let failed = 0;

function check(name, right, seen = '') {
  if (right) passed += 1; else failed += 1;
  console.log(`${right ? 'ok    ' : 'FAILED'} ${name}${right ? '' : `: ${seen}`}`);
}

async function expect(name, status, answer, text = '') {
  const { status: got, body } = await answer;
  check(name, got === status && body.includes(text), `${got} ${body}, expected ${status} ${text}`);
}

async function until(done) {
  for (let attempt = 0; attempt < 600; attempt += 1) {
    if (await done()) return true;
    await sleep(50);
  }
  return false;
}

/** Asks for tokens and presents them until `state.over`; each token a few times, so that some are remembered. */
async function load(issuer, gateway, state) {
  while (!state.over) {
    const token = await issuer.token('robot');
    for (let turn = 0; turn < 5; turn += 1) {
      const begun = performance.now();
      const { status, body } = await gateway.ask('/_ml/info?filter_path=upgrade_mode', token).catch((error) => ({ status: 0, body: error.message }));
      state.requests += 1;
      state.slowest = Math.max(state.slowest, performance.now() - begun);
      if (status !== 200) state.bad.push(`${status} ${body}`);
    }
    state.rounds += 1;
  }
}

async function rotate(issuer, state, old) {
  const fresh = key();
  // As a provider does it: the new key is published and signs, the old one stays while its tokens are in use.
  issuer.publish([fresh, old]);
  const rounds = state.rounds;
  await until(() => state.rounds >= rounds + 2 * LOOPS);
  issuer.publish([fresh]);
  return fresh;
}

const first = key();
const issuer = await Issuer.start(folder, [first]);
const gateway = await Gateway.start(mlgate, folder, issuer);
try {
  const token = await issuer.token('robot');
  await expect('a token of the provider is its client', 200, gateway.ask('/_security/_authenticate', token), '"username":"robot"');
  await expect('the role mapping gives it machine learning', 200, gateway.ask('/_ml/info', token), '"upgrade_mode"');
  await expect('another client has no role', 403, gateway.ask('/_ml/info', await issuer.token('visitor')), 'for user [visitor] with effective roles []');
  await expect('a token for another resource is refused', 401, gateway.ask('/_ml/info', await issuer.token('robot', 'urn:other')));
  await expect('a token that is no JWT is refused', 401, gateway.ask('/_ml/info', await issuer.token('robot', null)));
  const [header, claims, signature] = token.split('.');
  const forged = Buffer.from(Buffer.from(claims, 'base64url').toString().replace('"sub":"robot"', '"sub":"elastic"')).toString('base64url');
  await expect('a token with other claims is refused', 401, gateway.ask('/_ml/info', `${header}.${forged}.${signature}`));
  check('the keys are current', (await gateway.keys()).state === 'current');

  const state = { over: false, requests: 0, rounds: 0, slowest: 0, bad: [] };
  const loops = Array.from({ length: LOOPS }, () => load(issuer, gateway, state));
  let present = first;
  for (let turn = 0; turn < ROTATIONS; turn += 1) present = await rotate(issuer, state, present);
  state.over = true;
  await Promise.all(loops);
  console.log(`       ${state.requests} requests, ${ROTATIONS} rotations, ${issuer.fetches} fetches, slowest ${Math.round(state.slowest)} ms`);
  check('rotations under load lose no request', state.bad.length === 0 && state.requests > 100, state.bad.slice(0, 3).join('; '));
  await expect('a token of a key that is gone is refused, though it was remembered', 401, gateway.ask('/_ml/info', token));

  const last = await issuer.token('robot');
  await expect('the present key is known', 200, gateway.ask('/_ml/info', last));
  issuer.stop();
  gateway.reload();
  check('an issuer that is down is seen', await until(async () => (await gateway.keys()).state === 'stale'), JSON.stringify(await gateway.keys()));
  await expect('its tokens are good all the same', 200, gateway.ask('/_ml/info', last));
} catch (error) {
  check('the run', false, error.stack);
} finally {
  issuer.stop();
  gateway.stop();
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
