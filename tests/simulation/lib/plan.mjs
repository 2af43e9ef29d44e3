// What goes wrong in a night, from a seed: the same seed plants the same faults. Minutes count from the night's beginning.
export class Dice {
  constructor(seed) { this.state = seed >>> 0; }

  // In [0, 1): mulberry32.
  next() {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let t = this.state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }
  between(low, high) { return low + this.next() * (high - low); }
  pick(list) { return list[Math.floor(this.next() * list.length)]; }
  take(list, count) {
    const left = [...list];
    return Array.from({length: Math.min(count, left.length)}, () => left.splice(Math.floor(this.next() * left.length), 1)[0]);
  }
}

export const night = {settled: 8, maintenance: [48, 52], ends: 56};  // minutes
const share = (part, of) => Math.max(1, Math.round(part * of));
const overlaps = (window, [from, to]) => window.offset < to && window.offset + window.minutes > from;

// -> {faults, windows}: every fault once, and of every window what becomes of it: 'completed', 'missed' or 'paused'.
export function planNight(dice, municipality, n) {
  const homes = municipality.sides.flatMap((side) => side.homes).filter(({released}) => !released);
  const free = new Set(homes);
  const take = (list, count) => dice.take(list.filter((home) => free.has(home)), count).map((home) => (free.delete(home), home));
  const lasting = (low, high, minutes) => { const at = dice.between(low, high); return [at, at + minutes]; };
  const faults = [];

  const area = dice.pick([...areasOf(homes)].filter((members) => members.length >= 3));
  if (area) faults.push({kind: 'area_lost', homes: take(area, area.length), during: lasting(night.settled, 38, 4)});
  const quiet = dice.pick([...areasOf(homes)].filter((members) => members.length >= 3 && members.every((home) => free.has(home))));
  if (quiet) faults.push({kind: 'maintained', homes: take(quiet, quiet.length), during: [night.maintenance[0] + 0.5, night.maintenance[1] - 1]});
  for (const home of take(homes, share(0.005, homes.length))) faults.push({kind: 'hub_lost', homes: [home], during: lasting(night.settled, 38, dice.between(2, 6))});
  for (const home of take(homes, share(0.01, homes.length))) faults.push({kind: 'missed', homes: [home]});
  for (const home of take(homes, share(0.01, homes.length))) faults.push({kind: 'paused', homes: [home], at: 2});
  for (const home of take(homes, 1)) faults.push({kind: 'no_receipt', homes: [home], during: lasting(night.settled, 40, 3)});
  if (n % 2 === 0) for (const home of take(homes, 1)) faults.push({kind: 'released', homes: [home], at: 3});
  if (n % 2 === 1) faults.push({kind: 'restart', homes: [], at: dice.between(15, 40)});
  if (n === 0) faults.push({kind: 'no_windows', homes: [], side: dice.pick(municipality.sides)});
  return {faults, windows: windowsOf(municipality, faults)};
}

function areasOf(homes) {
  const areas = new Map();
  for (const home of homes) {
    const name = `${home.side.provider}/${home.at.group}`;
    areas.set(name, [...(areas.get(name) ?? []), home]);
  }
  return areas.values();
}

function windowsOf(municipality, faults) {
  const faultOf = new Map(faults.flatMap((fault) => fault.homes.map((home) => [home, fault])));
  return municipality.sides.flatMap((side) => side.homes).flatMap((home) => home.windows.map((window) => ({home, window, becomes: fate(home, window, faultOf.get(home))})));
}

// Nobody looks through a hub that is away, or is just back.
function fate(home, window, fault) {
  if (home.released || fault?.kind === 'released') return 'released';
  if (fault?.kind === 'missed') return 'missed';
  if (fault?.kind === 'paused') return 'paused';
  const isAway = fault?.kind === 'hub_lost' || fault?.kind === 'area_lost';
  return isAway && overlaps(window, [fault.during[0] - 1, fault.during[1] + 1]) ? 'missed' : 'completed';
}
