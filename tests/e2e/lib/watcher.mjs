// A viewer in a process of its own, so that it can stand behind a network of its own: looks at one hub as the staff app would,
// with signs of life for what it could have painted, but decodes nothing. Reads one JSON line: {town, person, hub}; says
// {"listening":1} with the first picture, and when its standard input ends {"pictures": [{at, age}], "unread": n}: when each came
// that could be shown, and how old it then was, ms; those that came too late, or after a gap, are `unread`.
import {createPrivateKey} from 'node:crypto';
import {join} from 'node:path';
import {createInterface} from 'node:readline';
import {LifeMaker} from './life.mjs';
import {readFrame} from './paint_notes.mjs';
import {Person} from './person.mjs';
import {ScriptedViewer} from './scripted_viewer.mjs';

const staleMs = 2000;

class Watcher {
  constructor(answer) {
    this.wallOf = (capture) => answer.utc_ms + (capture - answer.mono);
    this.next = null;
    this.painted = null;
    this.pictures = [];
    this.unread = 0;
  }

  take({frame, at}) {
    const {isKey, isEnd, capture, ctr} = readFrame(frame);
    const age = at - this.wallOf(capture);
    const isNext = isKey || ctr === this.next;
    this.next = isNext ? ctr + 1 : null;
    if (isEnd) return;
    if (!isNext || age > staleMs) return void ++this.unread;
    this.painted = ctr;
    this.pictures.push({at, age});
  }
}

function made({town, person}) {
  const around = {...town, ca: {pem: town.ca}, path: (name) => join(town.dir, name)};
  const who = new Person(around, person.name);
  Object.assign(who, {token: person.token, idToken: person.idToken});
  Object.assign(who.key, {privateKey: createPrivateKey({key: person.key, format: 'jwk'}), jwk: person.jwk, salt: person.salt});
  return new ScriptedViewer(around, who);
}

const lines = createInterface({input: process.stdin})[Symbol.asyncIterator]();
const told = JSON.parse((await lines.next()).value);
const viewer = await made(told).connect();
const {answer, problem} = await viewer.view(told.hub);
if (answer?.decision !== 'open') throw new Error(`not open: ${problem ?? answer.reason}`);
const watcher = new Watcher(answer);
const lives = new LifeMaker(viewer.viewerKey, answer);
for (const came of viewer.frames.splice(0)) watcher.take(came);
viewer.onFrame = (came) => {
  if (watcher.pictures.length === 0) console.log(JSON.stringify({listening: 1}));
  watcher.take(came);
};
const beat = setInterval(() => viewer.sendLife(lives.next(watcher.painted)), 500);
await lines.next();
clearInterval(beat);
viewer.end();
viewer.close();
console.log(JSON.stringify({pictures: watcher.pictures, unread: watcher.unread}));
