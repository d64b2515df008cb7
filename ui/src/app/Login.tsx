// Replaces the view when the engine rejects the browser: shows a login, or the reason.
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
        <h1>This engine does not let you in</h1>
        <p>{refusal.reason}</p>
        <p>To open the page of your own engine, run khor open.</p>
      </section>
    );
  }
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const token = new FormData(event.currentTarget).get('token');
    if (typeof token === 'string') void access.enter(token.trim());
  };
  return (
    <form className="login card" onSubmit={submit}>
      <h1>Log in with the engine’s token</h1>
      <p>The token is in the file that the setting listen.token_file names.</p>
      <div className="field">
        <label htmlFor="token">Token</label>
        <input type="password" id="token" name="token" autoComplete="current-password" required aria-invalid={error !== null} aria-describedby="token-error" />
        <div role="alert" className="refusal" id="token-error" hidden={error === null}>
          {error}
        </div>
      </div>
      <button type="submit" className="primary">
        Open
      </button>
    </form>
  );
}
