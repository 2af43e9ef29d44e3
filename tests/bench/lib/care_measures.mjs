// What staff notice: how long after a window's end they are told, and how long tonight's list takes.
import {writeFileSync} from 'node:fs';
import {Agent} from 'node:https';
import {nameHash, now, random} from '../../e2e/lib/crypto.mjs';
import {call} from '../../e2e/lib/https.mjs';
import {postOrder} from '../../e2e/lib/person.mjs';
import {until} from '../../e2e/lib/processes.mjs';
import {grant, localTime, right} from '../../e2e/lib/provision.mjs';
import {ScriptedViewer} from '../../e2e/lib/scripted_viewer.mjs';
import {Staff} from '../../simulation/lib/staff.mjs';
import {inParallel} from '../../simulation/lib/municipality.mjs';
import {median} from './figures.mjs';
import {startNginx} from './servers.mjs';

const every = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
const timezone = 'Europe/Stockholm';
const pairs = 8;  // who sign for one another; what one address may ask for in a second is limited

async function hire(town) {
  let address = 10;
  const member = (name) => new Staff(town, name, `127.3.1.${address++}`);
  town.staff = {chef: await member('chef').logIn(), rattighet: await member('rattighet').logIn()};
  const hired = async (name, role, groups) => {
    await grant(town, name, [right(role, groups ? {groups} : {})]);
    return member(name).logIn();
  };
  const signers = [];
  for (let i = 0; i < pairs; ++i) signers.push([await hired(`bistand${i}`, 'care_manager'), await hired(`planerare${i}`, 'planner')]);
  return {signers, operator: await hired('operator', 'operator', ['g0'])};
}

// A resident with a decision and a window, without a hub: that is a visit at the window's end all the same.
async function moveIn(town, [manager, planner], group, windows) {
  const at = {resident: random(16), home: random(16), group};
  const [name, address, salt] = ['Prov Provsson', 'Provgatan 1', random(32)];
  const put = await manager.put(`/v1/residents/${at.resident}`, {group, name, address, salt});
  if (put.status >= 300) throw new Error(`resident: ${put.status} ${put.text}`);
  const day = now().slice(0, 10);
  const standing = {version: 1, replaces: null, ...at, timezone};
  await postOrder(town, [[manager, 'care_manager'], [planner, 'planner']], {
    type: 'consent', ...standing, withdrawn: false, decision: {from: day, to: null}, consent: {from: day, to: null}, informed: {by: 'bistand', how: 'muntligt'},
    permitted: {start: '00:00', minutes: 1440}, supervisions_per_day: 10, max_minutes_per_day: 600, name_hash: nameHash(salt, {name, address})});
  await postOrder(town, [[planner, 'planner'], [manager, 'care_manager']], {type: 'schedule', ...standing, valid_from: '2026-01-01', valid_to: null, windows, exceptions: []});
  return at.resident;
}

// From the end of `count` residents' windows until a page that was only told to look has the alarm: ms each.
export async function windowToAlarm(town, count) {
  const {signers, operator} = await hire(town);
  const end = Math.ceil((Date.now() + 15000) / 60000) * 60000;
  const windows = [{id: 'w1', days: every, start: localTime(-5, end).time, minutes: 5}];
  const waiting = new Set();
  await inParallel(Array.from({length: count}), pairs, async (_, i) => { waiting.add(await moveIn(town, signers[i % pairs], 'g0', windows)); });
  if (Date.now() > end - 2000) throw new Error('the windows ended before all had moved in');
  const page = await new ScriptedViewer(town, operator).connect();
  await until('the window to end', () => Date.now() >= end, 120000, 5);
  const changes = () => page.texts.filter(({type}) => type === 'changed').length;
  const delays = [];
  for (let told = changes(); waiting.size > 0;) {
    await until('the page to be told', () => changes() > told, 60000, 5);
    told = changes();
    const {items} = (await operator.get('/v1/alarms')).json();
    for (const {resident, kind} of items) if (kind === 'missing_outcome' && waiting.delete(resident)) delays.push(Date.now() - end);
  }
  page.close();
  return delays;
}

// `times` requests over one connection: ms each, and the last answer.
async function timed(times, request) {
  const taken = [];
  let answer;
  for (let i = 0; i < times; ++i) {
    const began = performance.now();
    answer = await request();
    taken.push(performance.now() - began);
    if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text}`);
  }
  return {ms: median(taken), answer};
}

// Tonight's list for the operator of one group among `groups`, beside nginx handing out the same bytes.
export async function tonight(town, residents, groups, times) {
  const {signers, operator} = await hire(town);
  const windows = [{id: 'w1', days: every, start: '22:30', minutes: 15}, {id: 'w2', days: every, start: '03:00', minutes: 15}];
  await inParallel(Array.from({length: residents}), 2 * pairs, (_, i) => moveIn(town, signers[i % pairs], `g${i % groups}`, windows));
  const list = await timed(times, () => operator.get('/v1/tonight'));
  const page = await timed(times, () => operator.get('/v1/supervisions'));
  const {items} = list.answer.json();
  const listed = new Set(items.map(({resident}) => resident));
  if (listed.size !== residents / groups) throw new Error(`${listed.size} residents in the list of a group of ${residents / groups}`);
  writeFileSync(town.path('tonight.json'), list.answer.text);
  const server = await startNginx(town, `alias ${town.path('tonight.json')};`);
  const agent = new Agent({keepAlive: true, maxSockets: 1});
  const constant = await timed(times, () => call(`https://localhost:${server.port}/hub/v1/poll`, {ca: town.ca.pem, agent}));
  agent.destroy();
  await town.processes.stop(server.child);
  return {list: list.ms, page: page.ms, constant: constant.ms, bytes: list.answer.text.length, items: items.length};
}
