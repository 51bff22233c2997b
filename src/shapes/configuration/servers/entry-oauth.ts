/** The key `oauth` of a server entry, as the hub and its clients write it; `auth` of Cursor. */
import { isJsonObject } from '../../json.ts';
import { booleanValue, kindOf, listValue, textValue, type ValueContext } from './entry-values.ts';
import { nearestNameHint } from './nearest-name.ts';
import { EntryProblem } from './surroundings.ts';

/** The login in the hub's form, before variables are replaced. */
export type TranslatedOauth = Partial<Record<(typeof textKeys)[number], string>> & { scopes?: string[] };

/** The keys of the hub's form that hold a text. */
const textKeys = [
  ...(['grant', 'identity', 'clientId', 'clientSecret', 'privateKey', 'signingAlgorithm'] as const),
  ...(['clientMetadataUrl', 'issuer'] as const),
] as const;

/** Other names of these keys, with the clients that use them. */
const aliases: Readonly<Record<string, (typeof textKeys)[number]>> = {
  CLIENT_ID: 'clientId', // Cursor
  CLIENT_SECRET: 'clientSecret', // Cursor
  client_id: 'clientId', // Codex
  client_secret: 'clientSecret',
};

/** Keys of clients for which the hub has its own settings, or which it finds by itself. */
const clientKeys = new Set([
  ...['callbackPort', 'redirectUri', 'redirect_uri', 'audiences', 'tokenParamName', 'registrationUrl'],
  ...['authorizationUrl', 'tokenUrl', 'authServerMetadataUrl', 'type'],
]);

/**
 * Translates the value; undefined where it asks for nothing that the hub does not do anyway, such as `"oauth"` or `false`.
 * @throws EntryProblem
 */
export function translateOauth(
  value: unknown,
  path: readonly string[],
  context: ValueContext,
): TranslatedOauth | undefined {
  if (value === 'oauth' || typeof value === 'boolean' || value === null) return undefined;
  if (!isJsonObject(value)) {
    throw new EntryProblem(path, `found ${kindOf(value)}, must be an object, as in { "clientId": "…" }`);
  }
  const translated: TranslatedOauth = {};
  for (const [name, found] of Object.entries(value)) {
    const place = [...path, name];
    const key = textKeys.find((own) => own === name) ?? (Object.hasOwn(aliases, name) ? aliases[name] : undefined);
    if (key !== undefined) translated[key] = textValue(found, place, context);
    else if (name === 'scopes' || name === 'scope') translated.scopes = scopesOf(found, place, context);
    else if (name === 'enabled') booleanValue(found, place);
    else if (clientKeys.has(name)) context.warn(place, 'ignored: the hub finds it by itself, or has logins.publicUrl');
    else throw new EntryProblem(place, `unknown key${nearestNameHint(name, [...textKeys, 'scopes']) || '; remove it'}`);
  }
  return Object.keys(translated).length === 0 ? undefined : translated;
}

function scopesOf(value: unknown, path: readonly string[], context: ValueContext): string[] {
  if (typeof value !== 'string') return listValue(value, path, context);
  return textValue(value, path, context)
    .split(' ')
    .filter((scope) => scope !== '');
}
