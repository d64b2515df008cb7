// The card for OSC: khor sends notes and signals to other programs, and receives commands from
// them.
import { MAX_ITEMS } from '../api/ranges';
import { useStores } from '../app/context';
import { Lines, NumberField, Switch, Text } from '../controls/fields';
import { useObservable } from '../live/useObservable';
import { PartState } from './PartState';

function Receiving() {
  const receive = useObservable(useStores().health.state)?.osc.receive;
  if (receive?.enabled !== true) return <p className="note">Receiving is off: khor ignores all OSC commands.</p>;
  if (!receive.ok)
    return (
      <p className="refusal">
        {receive.error ?? 'not receiving, reason unknown'}
        {receive.fix ? <small className="fix">{receive.fix}</small> : null}
      </p>
    );
  return (
    <p className="note">
      {receive.messages} {receive.messages === 1 ? 'message' : 'messages'} accepted, {receive.refused} rejected
      {receive.last_refusal === null ? '.' : `, last reason: ${receive.last_refusal}`}
    </p>
  );
}

export function OscCard() {
  return (
    <section aria-labelledby="osc-title" className="card">
      <h2 id="osc-title">OSC</h2>
      <Switch path="features.osc" id="feature-osc" label="OSC" />
      <PartState part="OSC" />
      <div className="pair wide">
        <Text path="osc.host" id="osc-host" label="Host" />
        <NumberField path="osc.port" id="osc-port" label="Port" />
      </div>
      <Lines path="osc.targets" id="osc-targets" label="Further targets" rows={3} hint={`One host:port on each line; at most ${MAX_ITEMS['osc.targets']} lines`} />
      <h3>Control from this machine</h3>
      <Switch path="osc.receive.enabled" id="osc-receive" label="Receive" />
      <NumberField path="osc.receive.port" id="osc-receive-port" label="Receive port" />
      <Receiving />
    </section>
  );
}
