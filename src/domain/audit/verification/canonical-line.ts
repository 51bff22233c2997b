/** The test that a line is the canonical JSON (RFC 8785) of its parsed value. */
import canonicalize from 'canonicalize';

/** Reports whether the line is the canonical form of this value. A value with ill-formed Unicode has none. */
export function isCanonicalLine(value: object, line: string): boolean {
  try {
    return canonicalize(value) === line;
  } catch {
    return false;
  }
}
