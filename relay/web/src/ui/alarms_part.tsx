import { useState } from 'preact/hooks';
import type { Alarm } from '../care/alarms';
import { useApp } from './hooks';
import { Button, Message } from './parts';
import { dateAndClock, explain, explainAlarm, when } from './words';

function AlarmView({ alarm }: { alarm: Alarm }) {
  const app = useApp();
  const [isTaking, setTaking] = useState(false);
  const person = alarm.resident === null ? undefined : app.residents.get(alarm.resident);
  const { title, todo } = explainAlarm(alarm.kind);
  async function take(): Promise<void> {
    setTaking(true);
    await app.takeAlarm(alarm);
    setTaking(false);
  }
  return (
    <li
      class="row late" data-testid="alarm" data-id={alarm.id} data-kind={alarm.kind} data-level={alarm.level} data-resident={alarm.resident ?? ''}
      data-window={alarm.window?.id ?? ''} data-taken={alarm.takenBy ?? ''}
    >
      <div class="who">
        <strong data-testid="alarm-title">{title}</strong>
        <span>{person?.isVerified ? `${person.name}, ${person.address}` : ''}</span>
        <p class="quiet">{alarm.reason && alarm.kind !== 'visit_needed' ? `${explain(alarm.reason).title} ${todo}` : todo}</p>
      </div>
      <div class="when">
        <span>{when(Date.parse(alarm.since), app.now())}</span>
        {alarm.takenBy !== null && <span class="tag" data-testid="alarm-taken">Tas av {alarm.takenBy}</span>}
        {alarm.takenBy === null && alarm.level > 0 && <span class="tag bad">Ingen har tagit det</span>}
      </div>
      {alarm.takenBy === null && (
        <div class="act"><Button testid="alarm-take" kind="primary" disabled={isTaking} onClick={() => void take()}>Jag tar det</Button></div>
      )}
    </li>
  );
}

// What stands above tonight's list: alarms, and maintenance that is announced.
export function AlarmsPart() {
  const app = useApp();
  return (
    <>
      {app.alarmProblem && <Message reason={app.alarmProblem} testid="alarm-problem" tone="stop" />}
      {app.alarms.length > 0 && (
        <section aria-labelledby="h-alarms" data-testid="alarms">
          <h2 id="h-alarms">Larm</h2>
          <ul class="rows">{app.alarms.map((alarm) => <AlarmView key={alarm.id} alarm={alarm} />)}</ul>
        </section>
      )}
      {app.maintenance.map(({ from, to, reason }) => (
        <p class="message calm" role="status" data-testid="maintenance" key={from}>
          Planerat underhåll {dateAndClock(Date.parse(from))} till {dateAndClock(Date.parse(to))}. {reason}
        </p>
      ))}
    </>
  );
}
