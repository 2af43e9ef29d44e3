import { formatDate, type Instant, type LocalDate } from '../protocol/time';
import type { Role } from '../protocol/trust';
import type { OrderType } from '../protocol/payloads';

// Every word that staff read, but for labels that stand in one page only.

export const kRoleWords: Record<Role, string> = {
  operator: 'tillsynspersonal', planner: 'planerare', care_manager: 'biståndshandläggare', manager: 'chef',
  rights_admin: 'behörighetsadministratör', installer: 'larmteam', technician: 'tekniker', log_reviewer: 'logggranskare',
  system_admin: 'systemförvaltare',
};

export const kTypeWords: Record<OrderType, string> = {
  grant: 'Behörighet', revoke: 'Återkallad behörighet', device: 'Ny hubb', assignment: 'Hubb till brukare', acceptance: 'Godkänt prov',
  release: 'Hubb tas ur bruk', consent: 'Beslut och samtycke', schedule: 'Tillsynstider', pause: 'Paus', resume: 'Paus avslutas',
  view: 'Titta', completed: 'Tillsyn utförd', 'not-seen': 'Ser inte', unable: 'Gick inte', 'visit-taken': 'Besök taget',
  'pause-known': 'Paus känd', 'test-view': 'Provbild',
};

export const kDayWords: Record<string, string> = {
  mon: 'mån', tue: 'tis', wed: 'ons', thu: 'tors', fri: 'fre', sat: 'lör', sun: 'sön',
};

interface Explanation {
  title: string;
  todo: string;
}

const kVisit = 'Åk dit om tillsynen inte kan vänta.';
const kLogIn = 'Logga in igen.';
const kChief = 'Be chefen se över behörigheten.';
const kPlanner = 'Ta det med planeraren. ' + kVisit;
const kTeam = 'Ring larmteamet. ' + kVisit;
const kSupport = 'Ring systemförvaltningen. ' + kVisit;
const kAttack = 'Titta inte vidare i appen. Åk dit och meddela systemförvaltningen genast.';

// Kind of alarm → what is wrong, and what to do.
const kAlarms: Record<string, [string, string]> = {
  missing_outcome: ['Tillsynen är inte gjord.', 'Åk dit.'],
  visit_needed: ['Tillsynen gick inte att göra med kamera.', 'Åk dit.'],
  resident_paused: ['Pausad av den boende.', 'Tala med den boende, eller åk dit.'],
  hub_missing: ['Kameran kan inte öppnas till nästa tillsyn.', 'Räkna med ett besök. ' + kTeam],
  no_windows: ['Beslut om tillsyn finns, men inga tider.', 'Se till brukaren på annat sätt i natt, och ring planeraren.'],
  hub_lost: ['Hubben svarar inte.', kTeam],
  hub_flapping: ['Hubbens förbindelse kommer och går.', kTeam],
  area_lost: ['Flera hubbar i gruppen svarar inte.', 'Ta fram listan för natten. ' + kSupport],
  service_lost: ['Inga hubbar svarar.', 'Ta fram listan för natten. ' + kSupport],
  hub_unassigned: ['En hubb är igång utan att höra till någon brukare.', 'Ring larmteamet: kontrollera att rätt hubb är kopplad.'],
  no_receipt: ['Hemmet har inte bekräftat en underskriven uppgift.', kTeam],
  order_refused: ['Hemmet har nekat en underskriven uppgift.', 'Ta det med den som skrev under.'],
  maintenance_in_window: ['Planerat underhåll krockar med en tillsyn.', 'Ring systemförvaltningen.'],
  copy_late: ['Kopian av loggen på en annan maskin släpar efter eller går inte att skriva.', 'Ring driften: se till mappen för kopior.'],
  copy_disagrees: [
    'Kopian av loggen på en annan maskin stämmer inte med loggen.',
    'Spara kopian som bevis, ta reda på vem som har ändrat vad, och meddela driften genast.',
  ],
  not_evaluated: ['Tjänsten har stått stilla, och ingen har räknat larm.', 'Gå igenom listan för natten.'],
};

// Machine word → what it means, and what to do next.
const kReasons: Record<string, [string, string]> = {
  alarms_unknown: ['Larmen går inte att hämta.', 'Gå igenom listan själv. ' + kSupport],
  copy_unwritable: ['Filen går inte att skriva.', kSupport],
  copy_behind: ['Mappen svarar inte eller är för långsam.', kSupport],
  // the window and the home
  outside_window: ['Det är inte tillsynstid nu.', kVisit],
  outside_permitted_hours: ['Tiden ligger utanför vad brukaren har samtyckt till.', kPlanner],
  no_consent: ['Det finns inget beslut och samtycke.', kPlanner],
  consent_withdrawn: ['Samtycket är återkallat. Kameran är stängd.', 'Tillsynen ska göras på annat sätt. Ta det med biståndshandläggaren.'],
  consent_expired: ['Beslutet eller samtycket gäller inte i dag.', kPlanner],
  no_schedule: ['Det finns inga tillsynstider.', kPlanner],
  beyond_consent: ['Tillsynstiderna går utöver samtycket.', kPlanner],
  not_accepted: ['Hubben är inte godkänd efter installationen.', kTeam],
  no_assignment: ['Ingen hubb är kopplad till hemmet.', kTeam],
  no_device: ['Hubben är inte registrerad.', kTeam],
  not_countersigned: ['Hubben har inte bekräftat kopplingen.', 'Håll hubbens knapp intryckt i fem sekunder och underteckna igen.'],
  no_presence: ['Hubbens knapp har inte hållits inne.', 'Håll hubbens knapp intryckt i fem sekunder och underteckna inom två minuter.'],
  wrong_home: ['Uppgifterna gäller ett annat hem.', kPlanner],
  wrong_resident: ['Hubben hör till en annan brukare.', kTeam],
  wrong_camera: ['Kameran finns inte i hemmet.', kTeam],
  wrong_hub: ['Svaret kom från en annan hubb.', kAttack],
  protected_identity: ['Brukaren har skyddade personuppgifter.', 'Kameran visas inte. Tala med biståndshandläggaren.'],
  too_many_claims: ['Inloggningen lämnar fler uppgifter om dig än ditt användarnamn.', kSupport],
  paused: ['Tillsynen är pausad.', 'Se efter varför innan någon åker.'],
  paused_by_resident: ['Pausad av den boende.', 'Bara den boende kan avsluta pausen, med hubbens knapp. Tala med den boende, eller åk dit.'],
  not_paused: ['Installationen är redan godkänd.', 'Låt planeraren pausa tillsynen innan ni provar igen.'],
  too_many_views: ['Så många som får plats tittar redan.', 'Försök igen om en stund.'],
  camera_fault: ['Kameran fungerar inte.', kTeam],
  store_fault: ['Hubben kan inte spara. Kameran är stängd.', kTeam],
  clock_untrusted: ['Hubben vet inte säkert vad klockan är. Kameran är stängd.', kTeam],
  hub_revoked: ['Hubben är spärrad.', kTeam],
  unknown_challenge: ['Förfrågan hann bli gammal.', 'Försök igen.'],
  replayed: ['Förfrågan är redan använd.', 'Försök igen.'],
  unknown_head: ['Hemmet har andra uppgifter än den här appen.', 'Försök igen om en minut. ' + kVisit],
  hub_offline: ['Hubben svarar inte.', kVisit],
  hub_silent: ['Hubben svarar inte.', kVisit],
  hub_lost: ['Förbindelsen med hubben bröts.', 'Försök igen. ' + kVisit],
  no_answer: ['Hubben svarade inte.', 'Försök igen. ' + kVisit],
  no_picture: ['Ingen bild kom fram.', 'Försök igen. ' + kVisit],
  // how a view ends
  window_end: ['Tillsynstiden är slut.', 'Markera hur det gick.'],
  hub_ended: ['Hubben har avslutat.', 'Markera hur det gick, eller titta igen.'],
  viewer_gone: ['Du har avslutat.', 'Markera hur det gick.'],
  clock_parted: ['Datorn har sovit eller fått ny tid, så bildens ålder går inte att lita på.', 'Titta igen.'],
  // what must not happen
  answer_not_from_hub: ['Svaret är inte undertecknat av brukarens hubb.', kAttack],
  answer_not_ours: ['Svaret hör till en annan förfrågan.', kAttack],
  hpke: ['Bildens nyckel gick inte att öppna.', kAttack],
  name_mismatch: ['Namnet stämmer inte med samtycket.', 'Titta inte. Ta det med biståndshandläggaren och systemförvaltningen.'],
  name_missing: ['Namnet saknas.', 'Ta det med biståndshandläggaren.'],
  no_ledger_entry: ['Loggen innehåller inte det som undertecknades.', kSupport],
  ledger_forked: ['Loggen har ändrats i efterhand.', kAttack],
  ledger_older: ['Loggen är äldre än den som appen har sett.', kSupport],
  orders_withheld: ['Förmedlaren håller inne beslut som står i loggen. Kameran visas inte.', kAttack],
  // trust
  homes_missing: ['Listan över hem hör inte till tillitslistan eller saknas.', kSupport],
  homes_mismatch: ['Listan över hem stämmer inte med tillitslistan.', kSupport],
  trust_missing: ['Tillitslistan kunde inte hämtas.', 'Kontrollera nätet och ladda om. ' + kSupport],
  config_missing: ['Appen är inte färdigt uppsatt.', kSupport],
  unknown_relay: ['Förmedlaren finns inte i tillitslistan.', kSupport],
  bundle_missing: ['Tillitslistan saknas.', kSupport],
  bundle_older: ['Tillitslistan är äldre än den som appen har sett.', kSupport],
  bundle_old: ['Tillitslistan har inte förnyats på över en timme.', 'Arbeta vidare och meddela systemförvaltningen.'],
  bundle_expired: ['Tillitslistan har gått ut. Kamerorna är stängda.', kSupport],
  root_list_older: ['Grundlistan är äldre än den som appen har sett.', kSupport],
  root_list_expired: ['Grundlistan har gått ut.', kSupport],
  // the login
  inactive: ['Du loggades ut eftersom appen inte användes.', kLogIn],
  auth_too_old: ['Inloggningen är för gammal.', kLogIn],
  auth_in_future: ['Klockorna stämmer inte överens.', kLogIn],
  no_session: ['Sessionen är slut.', kLogIn],
  login_not_begun: ['Inloggningen började inte i den här webbläsaren.', kLogIn],
  login_denied: ['Inloggningen avbröts.', kLogIn],
  bad_id_token: ['Inloggningens intyg gick inte att kontrollera.', kLogIn],
  code_refused: ['Inloggningen godtogs inte.', kLogIn],
  issuer_unreachable: ['Inloggningstjänsten svarar inte.', 'Försök igen om en stund, eller använd en annan inloggning.'],
  wrong_redirect: ['Inloggningen är fel uppsatt.', kSupport],
  unknown_issuer: ['Inloggningstjänsten är inte godkänd.', kSupport],
  unknown_kid: ['Inloggningstjänsten har en ny nyckel, så det går inte att underteckna än.', 'Arbeta vidare med listan och logga in igen om en stund.'],
  retired_key: ['Inloggningstjänstens nyckel är utgången.', kLogIn],
  revoked_key: ['Inloggningstjänstens nyckel är spärrad.', kSupport],
  wrong_audience: ['Inloggningen gällde något annat.', kLogIn],
  acr_too_low: ['Inloggningen var inte stark nog.', 'Logga in med e-legitimation eller tjänstekort.'],
  nonce_mismatch: ['Inloggningen hör inte till den här webbläsaren.', kLogIn],
  person_mismatch: ['Inloggningen är en annan persons.', kLogIn],
  person_revoked: ['Din behörighet är återkallad.', kChief],
  no_grant: ['Du saknar behörighet för det här.', kChief],
  grant_expired: ['Din behörighet har gått ut.', kChief],
  group_not_in_scope: ['Du saknar behörighet för den gruppen.', kChief],
  issuer_not_for_role: ['Den inloggningen räcker inte för rollen.', 'Logga in på annat sätt.'],
  wrong_role: ['Ordern ska undertecknas i en annan roll.', 'Välj rätt roll.'],
  not_two_people: ['Två olika personer måste underteckna.', 'Välj en annan person.'],
  // orders
  malformed: ['Något är fel ifyllt.', 'Rätta och försök igen.'],
  unknown_format: ['Formatet är nyare än appen.', 'Ladda om sidan.'],
  type_not_supported: ['Den sortens order finns inte.', 'Ladda om sidan.'],
  wrong_provider: ['Ordern gäller en annan utförare.', kSupport],
  wrong_device_key: ['Nyckeln hör inte till hubben.', 'Läs av etiketten igen.'],
  bad_signature: ['Underskriften stämmer inte.', 'Logga in igen och underteckna på nytt.'],
  slot_taken: ['Någon annan hann före.', 'Läs om och gör ändringen på nytt.'],
  superseded: ['Det finns redan en nyare.', 'Läs om och gör ändringen på nytt.'],
  wrong_predecessor: ['Ändringen bygger på något som inte längre gäller.', 'Läs om och gör ändringen på nytt.'],
  version_gap: ['En tidigare ändring saknas.', 'Vänta och försök igen.'],
  late: ['Underskriften är mer än tio timmar gammal.', 'Underteckna på nytt.'],
  no_draft: ['Utkastet finns inte längre.', 'Läs om sidan.'],
  // the connection
  relay_unreachable: ['Ingen förbindelse med tjänsten.', 'Kontrollera nätet och försök igen. ' + kVisit],
  relay_error: ['Tjänsten kunde inte utföra det.', 'Försök igen. ' + kVisit],
  too_many_sessions: ['För många är inloggade just nu.', 'Försök igen om en stund.'],
  internal: ['Något gick fel i appen.', 'Ladda om sidan. ' + kVisit],
  framed: ['Appen visas inuti en annan sida.', 'Öppna den i ett eget fönster.'],
  wrong_relay: ['Inloggningen gällde en annan förmedlare.', kSupport],
  viewer_busy: ['En visning pågår redan.', 'Avsluta den först.'],
};

export function explain(reason: string): Explanation {
  const [title, todo] = kReasons[reason] ?? ['Det gick inte.', 'Försök igen. ' + kVisit];
  return { title, todo };
}

export function explainAlarm(kind: string): Explanation {
  const [title, todo] = kAlarms[kind] ?? ['Ett fel har upptäckts.', kSupport];
  return { title, todo };
}

const kZone = 'Europe/Stockholm';
const kClock = new Intl.DateTimeFormat('sv-SE', { timeZone: kZone, hour: '2-digit', minute: '2-digit' });
const kDateClock = new Intl.DateTimeFormat('sv-SE', {
  timeZone: kZone, weekday: 'short', day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit',
});
const kDay = new Intl.DateTimeFormat('sv-SE', { timeZone: kZone, year: 'numeric', month: '2-digit', day: '2-digit' });

export const clock = (instant: Instant): string => kClock.format(instant);
export const dateAndClock = (instant: Instant): string => kDateClock.format(instant);
export const dateWords = (date: LocalDate | null): string => (date === null ? 'tills vidare' : formatDate(date));

// "03:15" today, else with its date.
export const when = (instant: Instant, now: Instant): string =>
  kDay.format(instant) === kDay.format(now) ? `kl. ${clock(instant)}` : dateAndClock(instant);

export const minutesOfDay = (minutes: number): string =>
  `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;
