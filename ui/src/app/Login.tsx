// Replaces every view while the engine rejects this browser. Shows a login form, or the reason if
// no login is possible.
import type { SubmitEvent } from 'react';
import { useObservable } from '../live/useObservable';
import type { Refusal } from './access';
import { useStores } from './context';

export function Login({ refusal }: { refusal: Refusal }) {
  const { access } = useStores();
  const error = useObservable(access.error);
  if (!refusal.asksToken) {
    return (
      <section className="login card" role="alert">
        <h1>The engine rejects this browser</h1>
        <p>{refusal.reason}</p>
        <p>To open the page of your own engine, run <code>khor open</code>.</p>
      </section>
    );
  }
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const token = new FormData(event.currentTarget).get('token');
    if (typeof token === 'string') void access.login(token.trim());
  };
  return (
    <form className="login card" onSubmit={submit}>
      <h1>Log in with the engine’s token</h1>
      <p>The setting listen.token_file names the file that contains the token.</p>
      <div className="field">
        <label htmlFor="token">Token</label>
        <input type="password" id="token" name="token" autoComplete="current-password" required aria-invalid={error !== null} aria-describedby="token-error" />
        <div role="alert" className="refusal" id="token-error" hidden={error === null}>
          {error}
        </div>
      </div>
      <button type="submit" className="primary">
        Log in
      </button>
    </form>
  );
}
