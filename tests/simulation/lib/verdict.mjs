// What a night's alarms were for. Every planted fault expects its alarm, exactly once; what follows from a fault may alarm
// too, once a subject; every other alarm is false.
const minute = 60000;

const isSame = (window, date, data) => data.window?.id === window.id && data.window.date === date;

// The alarm that a planted fault must bring, if any. `at`: since when it could be known, simulated ms.
function expectationsOf(fault, {begin}) {
  const [home] = fault.homes;
  const about = (kind, probe, at) => ({kind, at, probe, provider: (home?.side ?? fault.side).provider});
  switch (fault.kind) {
    case 'hub_lost':
      return [about('hub_lost', (data) => data.hub === home.hub.id, fault.since)];
    case 'area_lost':
      return [about('area_lost', (data) => data.group === home.at.group, fault.since)];
    case 'no_receipt':
      return [about('no_receipt', (data) => data.order === fault.order, fault.since)];
    case 'no_windows':
      return [about('no_windows', (data) => data.resident === fault.at.resident, begin)];
  }
  return [];
}

// Nobody looked; or nobody can, because the hub was released, in this night or before.
function windowExpectations({begin, date, windows}) {
  const about = ({home, window}, kind, at) => ({
    kind, at, provider: home.side.provider, probe: (data) => data.resident === home.at.resident && isSame(window, date, data)});
  return windows.flatMap((one) => {
    const {home, window, becomes} = one;
    if (becomes === 'missed') return [about(one, 'missing_outcome', begin + (window.offset + window.minutes) * minute)];
    if (becomes === 'released') return [about(one, 'hub_missing', Math.max(home.releasedAt, begin + (window.offset - 30) * minute, begin))];
    return [];
  });
}

const follows = {
  hub_lost: ([home], data) => data.kind === 'hub_missing' && data.reason === 'hub_lost' && data.resident === home.at.resident,
  released: ([home], data) => data.kind === 'hub_unassigned' && data.hub === home.hub.id,
};

export class Verdict {
  constructor() {
    this.expected = [];
    this.follows = [];
    this.delays = [];  // fault to alarm: {kind, ms}, simulated
    this.wrong = [];   // sentences
    this.falseAlarms = 0;
    this.seen = new Set();
    this.counts = {};
  }

  // A night's faults, once all are planted.
  expect(night, faults) {
    this.expected.push(...windowExpectations(night), ...faults.flatMap((fault) => expectationsOf(fault, night)));
    this.follows.push(...faults.filter(({kind}) => follows[kind]).map((fault) => ({provider: fault.homes[0].side.provider, is: (data) => follows[fault.kind](fault.homes, data)})));
  }

  // One alarm as the provider's system was told of it.
  judge(provider, data) {
    if (this.seen.has(data.id)) return this.wrong.push(`${provider}: alarm ${data.id} told twice`);
    this.seen.add(data.id);
    this.counts[data.kind] = (this.counts[data.kind] ?? 0) + 1;
    const fits = this.expected.filter((one) => one.provider === provider && one.kind === data.kind && one.probe(data));
    const open = fits.find((one) => !one.alarm);
    if (open) {
      open.alarm = data;
      this.delays.push({kind: data.kind, ms: Math.max(0, Date.parse(data.raised) - open.at)});
    } else if (fits.length > 0) {
      this.wrong.push(`${provider}: ${data.kind} alarmed twice: ${JSON.stringify(data)}`);
    } else if (!this.#followsFrom(provider, data)) {
      this.falseAlarms += 1;
      this.wrong.push(`${provider}: an alarm without cause: ${JSON.stringify(data)}`);
    }
  }

  #followsFrom(provider, data) {
    const subject = `${data.kind}/${data.resident}/${data.hub}/${data.window?.id}/${data.window?.date}`;
    const cause = this.follows.find((one) => one.provider === provider && one.is(data));
    if (!cause || (cause.seen ??= new Set()).has(subject)) return false;
    return cause.seen.add(subject);
  }

  unanswered() { return this.expected.filter(({alarm}) => !alarm).map(({provider, kind}) => `${provider}: a planted ${kind} was never alarmed`); }

  // By kind of alarm, in simulated seconds: {n, median, longest}.
  delaysByKind() {
    const kinds = {};
    for (const delay of this.delays) (kinds[delay.kind] ??= []).push(delay);
    return Object.fromEntries(Object.entries(kinds).map(([kind, delays]) => {
      const sorted = delays.map(({ms}) => ms / 1000).sort((a, b) => a - b);
      return [kind, {n: sorted.length, median: sorted[Math.floor(sorted.length / 2)], longest: sorted.at(-1)}];
    }));
  }
}
