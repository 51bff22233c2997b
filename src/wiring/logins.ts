/** Builds the logins to upstream servers: their store, its key, and the authorizers of connections. */
import { existsSync } from 'node:fs';
import { recordMissingLogin } from '../domain/login/server-logins.ts';
import type { Config } from '../shapes/configuration/config.ts';
import { createCredentialStore } from '../stores/oauth/credential-store.ts';
import { createSealing, loadSealingKey, type Sealing } from '../stores/oauth/sealing.ts';
import { createAuthorizations } from '../upstream/oauth/authorizations.ts';
import { createLogins } from '../upstream/oauth/logins.ts';
import type { Foundation } from './foundation.ts';

/** Builds the logins. @throws Error with one line if the file of the key is there and cannot be used */
export function createUpstreamLogins(
  { logins: { redirectUrl, clientMetadataUrl, ...key } }: Config,
  { database, trail, now }: Foundation,
) {
  const authorizations = createAuthorizations({
    vault: createCredentialStore(database, lazySealing(key)),
    onLoginRequired: (address, need) => void recordMissingLogin({ trail }, address, need),
    now,
  });
  return { authorizations, logins: createLogins({ redirectUrl, clientMetadataUrl, now }) };
}

/** A key file that is configured or exists is read at the start; else it is created at the first login. */
function lazySealing({ key, keyFile, isKeyFileChosen }: Omit<Config['logins'], 'redirectUrl' | 'clientMetadataUrl'>) {
  const load = () => createSealing(key === undefined ? loadSealingKey(keyFile) : Buffer.from(key, 'hex'));
  let sealing: Sealing | undefined = key !== undefined || isKeyFileChosen || existsSync(keyFile) ? load() : undefined;
  return () => {
    sealing ??= load();
    return sealing;
  };
}
