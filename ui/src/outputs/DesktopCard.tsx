// The card for the desktop features: media keys, notifications, and a name on the session bus. All
// are off by default.
import { Switch } from '../controls/fields';
import { PartState } from './PartState';

export function DesktopCard() {
  return (
    <section aria-labelledby="desktop-title" className="card">
      <h2 id="desktop-title">Desktop</h2>
      <Switch path="desktop.mpris" id="desktop-mpris" label="Media keys" />
      <p className="note">Play unmutes khor, and Pause mutes it. Next and Previous change the preset.</p>
      <Switch path="desktop.notifications" id="desktop-notifications" label="Notifications" />
      <p className="note">Notifies you when a program crashes, when the kernel kills a program because memory ran out, or when a disk request fails.</p>
      <Switch path="desktop.bus" id="desktop-bus" label="D-Bus" />
      <p className="note">Offers the service org.khor.Engine on the session bus, for scripts.</p>
      <PartState part="Desktop" />
    </section>
  );
}
