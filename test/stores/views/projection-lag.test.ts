/** The lag of the views: how long the oldest record that is missing has waited. */
import { expect, test } from 'vitest';
import { createProjectionLag } from '../../../src/stores/views/projection-lag.ts';

function measured() {
  let now = 1_000_000;
  const lag = createProjectionLag(() => now);
  const pass = (seconds: number) => {
    now += seconds * 1000;
  };
  return { ...lag, pass };
}

test('the lag is that of the oldest record that is missing, and 0 if none is', () => {
  const lag = measured();
  expect(lag.seconds()).toBe(0);
  lag.appended(10);
  lag.pass(2);
  lag.appended(20);
  lag.pass(3);
  expect(lag.seconds()).toBe(5);
  lag.projected(9);
  expect(lag.seconds()).toBe(5);
  lag.projected(10);
  expect(lag.seconds()).toBe(3);
  lag.projected(20);
  expect(lag.seconds()).toBe(0);
  lag.pass(100);
  lag.appended(20);
  expect(lag.seconds()).toBe(0);
});

test('the lag is never too low, however long the views are late', () => {
  const lag = measured();
  for (let size = 1; size <= 5000; size += 1) {
    lag.appended(size);
    lag.pass(1);
  }
  expect(lag.seconds()).toBe(5000);
  lag.projected(2500);
  expect(lag.seconds()).toBeGreaterThanOrEqual(2500);
  expect(lag.seconds()).toBeLessThan(2600);
});

test('views that begin anew are as late as their oldest record, from when it is known to be missing', () => {
  const lag = measured();
  lag.restarted({ position: 0, size: 100 });
  lag.pass(4);
  lag.appended(110);
  expect(lag.seconds()).toBe(4);
  lag.restarted({ position: 50, size: 110 });
  expect(lag.seconds()).toBe(4);
  lag.projected(110);
  expect(lag.seconds()).toBe(0);
  lag.restarted({ position: 110, size: 110 });
  expect(lag.seconds()).toBe(0);
});
