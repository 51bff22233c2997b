/** The store of logins to upstream servers: credentials, encrypted, by server and identity. */
import { z } from 'zod';
import { parsedJson } from '../../shapes/json.ts';
import { type CredentialVault, credentialSchema, type LoginAddress } from '../../shapes/oauth/credential.ts';
import type { Database } from '../database.ts';
import type { Sealing } from './sealing.ts';

/** Creates the store in `database`. `sealing` is called when it is first needed. */
export function createCredentialStore(database: Database, sealing: () => Sealing): CredentialVault {
  const find = database.query(
    'SELECT sealed FROM server_logins WHERE server_id = :serverId AND agent = :agent',
    z.object({ sealed: z.instanceof(Uint8Array) }),
  );
  const put = database.command(
    `INSERT INTO server_logins (server_id, agent, sealed, changed_at)
     VALUES (:serverId, :agent, :sealed, :changedAt)
     ON CONFLICT (server_id, agent) DO UPDATE SET sealed = excluded.sealed, changed_at = excluded.changed_at`,
  );
  const remove = database.command('DELETE FROM server_logins WHERE server_id = :serverId AND agent = :agent');
  return {
    find: async (address) => {
      const row = find.first(keyOf(address));
      const text = row && sealing().open(row.sealed, contextOf(address));
      const credential = credentialSchema.safeParse(text === undefined ? undefined : parsedJson(text));
      return credential.success ? credential.data : undefined;
    },
    put: async (address, credential) => {
      const sealed = sealing().seal(JSON.stringify(credential), contextOf(address));
      await database.transaction(async (tx) => {
        put.run(tx, { ...keyOf(address), sealed, changedAt: Date.now() });
      });
    },
    remove: (address) => database.transaction(async (tx) => remove.run(tx, keyOf(address)) > 0),
  };
}

/** The hub's own login has an empty name, which no agent can have. */
function keyOf({ serverId, identity }: LoginAddress) {
  return { serverId, agent: identity.kind === 'agent' ? `${identity.namespace}/${identity.agentId}` : '' };
}

function contextOf(address: LoginAddress): string {
  const { serverId, agent } = keyOf(address);
  return JSON.stringify(['hestia server login', serverId, agent]);
}
