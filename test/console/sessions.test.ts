/** Sessions of people in a browser: how long they last, and that nothing of them can be used twice or guessed from memory. */
import { describe, expect, test } from 'vitest';
import { createSessions, idleMsMax, linkMsMax, sessionMsMax } from '../../src/domain/access/sessions.ts';

const keyId = '0123456789abcdef';

function stage() {
  const clock = { ms: 0 };
  return { clock, sessions: createSessions(() => clock.ms) };
}

describe('a session', () => {
  test('is found by its token only, until it ends', () => {
    const { sessions } = stage();
    const { token, formToken } = sessions.open({ keyId });
    expect(sessions.find(token)).toEqual({ holder: { keyId }, formToken });
    expect(sessions.find(`${token}x`)).toBeUndefined();
    expect(sessions.find(formToken)).toBeUndefined();
    sessions.end(token);
    expect(sessions.find(token)).toBeUndefined();
  });

  test('ends when it was not used for an hour, and counts as used when it is found', () => {
    const { clock, sessions } = stage();
    const { token } = sessions.open({ keyId });
    clock.ms += idleMsMax;
    expect(sessions.find(token)).toBeDefined();
    clock.ms += idleMsMax;
    expect(sessions.find(token)).toBeDefined();
    clock.ms += idleMsMax + 1;
    expect(sessions.find(token)).toBeUndefined();
  });

  test('ends after half a day, however often it is used', () => {
    const { clock, sessions } = stage();
    const { token } = sessions.open({ keyId });
    while (clock.ms <= sessionMsMax - idleMsMax) {
      expect(sessions.find(token)).toBeDefined();
      clock.ms += idleMsMax;
    }
    expect(sessions.find(token)).toBeDefined();
    clock.ms = sessionMsMax + 1;
    expect(sessions.find(token)).toBeUndefined();
  });

  test('has its own tokens', () => {
    const { sessions } = stage();
    const tokens = Array.from({ length: 100 }, () => sessions.open({ keyId })).flatMap(({ token, formToken }) => [
      token,
      formToken,
    ]);
    expect(new Set(tokens).size).toBe(200);
    expect(tokens.every((token) => /^[\w-]{43}$/.test(token))).toBe(true);
  });
});

describe('the code of a link', () => {
  test('can be used once', () => {
    const { sessions } = stage();
    const code = sessions.createCode(keyId);
    expect(sessions.redeem(`${code}x`)).toBeUndefined();
    expect(sessions.redeem(code)).toBe(keyId);
    expect(sessions.redeem(code)).toBeUndefined();
  });

  test('is not valid after ten minutes', () => {
    const { clock, sessions } = stage();
    const code = sessions.createCode(keyId);
    clock.ms += linkMsMax + 1;
    expect(sessions.redeem(code)).toBeUndefined();
  });
});
