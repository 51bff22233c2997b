/** The login of a server entry, as the hub and its clients write it. */
import { describe, expect, test } from 'vitest';
import { readEntry } from '../../src/shapes/configuration/servers/read-servers.ts';

const surroundings = {
  environment: { SECRET: 'from the environment' },
  home: '/home/me',
  folder: '/work',
  hasFile: () => false,
  inputs: [],
};
const read = (rest: object) =>
  readEntry({ id: 'notes', value: { url: 'https://notes.example/mcp', ...rest } }, surroundings);

describe('the login of an entry', () => {
  test.each([
    ['Claude Code', { oauth: { clientId: 'a', callbackPort: 8080 } }, { clientId: 'a' }],
    [
      'Gemini CLI',
      { oauth: { enabled: true, clientId: 'a', clientSecret: 'b', scopes: ['x'] } },
      { clientId: 'a', clientSecret: 'b', scopes: ['x'] },
    ],
    ['opencode', { oauth: { clientId: 'a', scope: 'x y' } }, { clientId: 'a', scopes: ['x', 'y'] }],
    [
      'Cursor',
      { auth: { CLIENT_ID: 'a', CLIENT_SECRET: '${SECRET}', scopes: ['x'] } },
      { clientId: 'a', clientSecret: 'from the environment', scopes: ['x'] },
    ],
    [
      'the hub',
      { oauth: { identity: 'agent', issuer: 'https://issuer.example' } },
      { identity: 'agent', issuer: 'https://issuer.example' },
    ],
  ])('is read as %s writes it', (_client, entry, expected) => {
    expect(read(entry)).toMatchObject({ configuration: { oauth: expected } });
  });

  test.each([[{ auth: 'oauth' }], [{ oauth: false }], [{ oauth: {} }], [{ oauth: { enabled: true } }]])(
    'that asks for nothing special is left out: %j',
    (entry) => {
      const found = read(entry);
      expect('configuration' in found && found.configuration).not.toHaveProperty('oauth');
    },
  );

  test.each([
    [{ oauth: { clientid: 'a' } }, 'oauth.clientid', 'did you mean "clientId"'],
    [{ oauth: { clientSecret: 'b' } }, 'oauth.clientId', 'must be present'],
    [{ oauth: { clientId: 'a', privateKey: 'b' } }, 'oauth.privateKey', 'must be a private RSA or EC key'],
    [{ oauth: { grant: 'client_credentials', clientId: 'a' } }, 'oauth.clientSecret', 'must be present'],
    [{ oauth: { issuer: 'http://issuer.example' } }, 'oauth.issuer', 'must be an https URL'],
    [{ oauth: 7 }, 'oauth', 'found a number'],
  ])('with a mistake makes the server misconfigured, and says where: %j', (entry, path, text) => {
    const found = read(entry);
    expect('problem' in found && [found.problem.path.join('.'), found.problem.text]).toEqual([
      path,
      expect.stringContaining(text),
    ]);
  });
});
