/** The network address of the client that sent a request, and the source that it counts for. */
import { getConnInfo } from '@hono/node-server/conninfo';
import type { Context } from 'hono';

/** The remote address of the connection; undefined where the app is called without a connection. */
export function clientAddress(c: Context): string | undefined {
  try {
    return getConnInfo(c).remote.address;
  } catch {
    return undefined;
  }
}

/** The source of a request, by which failed authentications are counted: see {@link sourceOf}. */
export function clientSource(c: Context): string | undefined {
  const address = clientAddress(c);
  return address === undefined ? undefined : sourceOf(address);
}

/**
 * An IPv4 address as it is, `127.0.0.0/8` for the addresses of this machine, and the network of 64 bits of an IPv6 address. Each of
 * these networks belongs to one client (RFC 6177, section 2), which would otherwise have a limit for each of its addresses.
 */
export function sourceOf(address: string): string {
  const ipv4 = /^(?:::ffff:)?(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (ipv4 !== undefined) return ipv4.startsWith('127.') ? '127.0.0.0/8' : ipv4;
  const [head = '', tail] = address.replace(/%.*/, '').toLowerCase().split('::');
  const [before, after] = [groupsOf(head), groupsOf(tail ?? '')];
  const zeros = tail === undefined ? [] : Array.from({ length: 8 - before.length - after.length }, () => '0');
  const groups = [...before, ...zeros, ...after].slice(0, 4);
  return `${groups.map((group) => group.replace(/^0+(?=.)/, '')).join(':')}::/64`;
}

function groupsOf(text: string): string[] {
  return text === '' ? [] : text.split(':');
}
