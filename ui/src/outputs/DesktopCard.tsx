// What khor is to the desktop: media keys, notifications, a name on the session's bus. Each is off until it is wanted.
import { Switch } from '../controls/fields';
import { PartState } from './PartState';

export function DesktopCard() {
  return (
    <section aria-labelledby="desktop-title" className="card">
      <h2 id="desktop-title">Desktop</h2>
      <Switch path="desktop.mpris" id="desktop-mpris" label="Media keys" />
      <p className="note">Play and pause unmute and mute, next and previous change the preset.</p>
      <Switch path="desktop.notifications" id="desktop-notifications" label="Notifications" />
      <p className="note">When a program is killed for want of memory or crashes, or a disk request fails.</p>
      <Switch path="desktop.bus" id="desktop-bus" label="D-Bus" />
      <p className="note">org.khor.Engine on the session bus, for scripts.</p>
      <PartState part="Desktop" />
    </section>
  );
}
