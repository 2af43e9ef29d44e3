import type { Resident } from '../care/residents';
import type { Body, Payload } from '../protocol/payloads';
import { type DayWindow, kDays, type Schedule } from '../protocol/schedule';
import { formatDate } from '../protocol/time';
import { dateAndClock, dateWords, kDayWords, kRoleWords, minutesOfDay } from './words';

// An order in plain words: lines that can stand beside those of the order it replaces.
export interface Line {
  label: string;
  value: string;
}

const groups = (names: string[]): string => (names.includes('*') ? 'alla grupper' : `grupp ${names.join(', ')}`);
const window = (w: DayWindow): string => `${minutesOfDay(w.start)}, ${w.minutes} min (${w.id})`;

function scheduleLines(schedule: Schedule): Line[] {
  const week = schedule.windows.map((w) => {
    const days = w.days.every(Boolean) ? 'varje dygn' : kDays.filter((_, i) => w.days[i]).map((day) => kDayWords[day]).join(' ');
    return `${days} ${window(w)}`;
  });
  const exceptions = [...schedule.exceptions].map(([date, windows]) =>
    `${formatDate(date)}: ${windows.length > 0 ? windows.map(window).join('; ') : 'ingen tillsyn'}`,
  );
  return [
    { label: 'Gäller', value: `${dateWords(schedule.validFrom)} till ${dateWords(schedule.validTo)}` },
    { label: 'Tider', value: week.join('\n') || 'inga' },
    { label: 'Undantag', value: exceptions.join('\n') || 'inga' },
  ];
}

function bodyLines(body: Body): Line[] {
  switch (body.type) {
    case 'grant':
      return [
        { label: 'Person', value: body.person },
        {
          label: 'Får vara',
          value: body.rights
            .map((r) => `${kRoleWords[r.role]} i ${groups(r.groups)}, ${dateAndClock(r.from)} till ${dateAndClock(r.to)}`)
            .join('\n'),
        },
        { label: 'Skäl', value: body.reason },
      ];
    case 'revoke':
      return [
        { label: 'Person', value: body.person },
        { label: 'Får vara', value: `ingenting, från ${dateAndClock(body.from)}` },
        { label: 'Skäl', value: body.reason },
      ];
    case 'device':
      return [{ label: 'Hubbens nyckel', value: body.hub }, { label: 'Modell', value: body.board }];
    case 'assignment':
      return [
        { label: 'Hubb', value: body.hub },
        { label: 'Brukarens kod i bilden', value: body.code },
        { label: 'Kameror', value: body.cameras.map((c) => `${c.id} märkt ${c.identifier}`).join('\n') },
      ];
    case 'acceptance':
      return [{ label: 'Provat och godkänt', value: body.checklist.join('\n') }, { label: 'Koppling', value: body.assignment }];
    case 'release':
      return [{ label: 'Hubb', value: body.hub }, { label: 'Skäl', value: body.reason }];
    case 'consent':
      return consentLines(body.terms);
    case 'schedule':
      return scheduleLines(body.schedule);
    case 'pause':
      return [{ label: 'Pausas till', value: dateAndClock(body.until) }, { label: 'Skäl', value: body.reason }];
    case 'resume':
      return [{ label: 'Paus', value: 'avslutas' }];
    default:
      return [];
  }
}

function consentLines(terms: (Body & { type: 'consent' })['terms']): Line[] {
  if (!terms) return [{ label: 'Samtycke', value: 'återkallat: kameran stängs' }];
  const end = (terms.permitted.start + terms.permitted.minutes) % 1440;
  return [
    { label: 'Beslut gäller', value: `${dateWords(terms.decision.from)} till ${dateWords(terms.decision.to)}` },
    { label: 'Samtycke gäller', value: `${dateWords(terms.consent.from)} till ${dateWords(terms.consent.to)}` },
    { label: 'Informerad', value: `av ${terms.informedBy}, ${terms.informedHow}` },
    { label: 'Tillåten tid', value: terms.permitted.minutes === 1440 ? 'hela dygnet' : `${minutesOfDay(terms.permitted.start)} till ${minutesOfDay(end)}` },
    { label: 'Tillsyner per dygn', value: `högst ${terms.supervisionsPerDay}` },
    { label: 'Minuter per dygn', value: `högst ${terms.maxMinutesPerDay}` },
  ];
}

// The whole order in words; whose it is stands first, by a name that the consent vouches for.
export function describe(payload: Payload, nameOf: (resident: string) => Resident | undefined): Line[] {
  const { body } = payload;
  const out: Line[] = [];
  if ('resident' in body) {
    const found = nameOf(body.resident);
    out.push({ label: 'Brukare', value: found ? `${found.name}, ${found.address}` : `okänt namn (${body.resident})` });
  }
  if ('home' in body) out.push({ label: 'Hem', value: body.home });
  if ('group' in body) out.push({ label: 'Grupp', value: body.group });
  out.push(...bodyLines(body));
  const signers = payload.signers.map((signer) => `${signer.person} som ${kRoleWords[signer.role]}`);
  return [...out, { label: 'Undertecknas av', value: signers.join('\n') }];
}
