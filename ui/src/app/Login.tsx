// Asks for the token of an engine that listens beyond its own machine.
import type { SubmitEvent } from 'react';
import { useObservable } from '../live/observable';
import { useStores } from './stores';

export function Login() {
  const { access } = useStores();
  const error = useObservable(access.error);
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const token = new FormData(event.currentTarget).get('token');
    if (typeof token === 'string') void access.enter(token.trim());
  };
  return (
    <form className="login card" onSubmit={submit}>
      <h1>This engine asks for its token</h1>
      <p>It listens beyond its own machine. The token is in the file that its setting listen.token_file names.</p>
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
