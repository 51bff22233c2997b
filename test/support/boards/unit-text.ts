/** Values as Grafana writes them, by the unit of a panel. */

/** Writes a value in a unit of the dashboards. `decimals` undefined: as many as are telling. */
export function valueText(value: number, unit = '', decimals?: number): string {
  const fixed = (number: number, digits: number) => number.toFixed(decimals ?? digits);
  if (unit.startsWith('suffix:')) return `${fixed(value, telling(value))} ${unit.slice('suffix:'.length)}`;
  switch (unit) {
    case 'locale':
      return value.toLocaleString('en-US', { maximumFractionDigits: decimals ?? telling(value) });
    case 'percentunit':
      return `${fixed(value * 100, telling(value * 100))}%`;
    case 's':
      return secondsText(value, fixed);
    case 'bytes':
      return bytesText(value, fixed);
    case 'dateTimeFromNow':
      return `${secondsText(Date.now() / 1000 - value / 1000, (number) => number.toFixed(0))} ago`;
    default:
      return fixed(value, telling(value));
  }
}

function secondsText(value: number, fixed: (number: number, digits: number) => string): string {
  const steps: readonly [number, string][] = [
    [3600, 'hours'],
    [60, 'mins'],
    [1, 's'],
    [0.001, 'ms'],
    [0.000_001, 'µs'],
  ];
  const [size, word] = steps.find(([least]) => value >= least) ?? [1, 's'];
  return `${fixed(value / size, telling(value / size))} ${word}`;
}

function bytesText(value: number, fixed: (number: number, digits: number) => string): string {
  const words = ['B', 'KiB', 'MiB', 'GiB'];
  const at = Math.min(words.length - 1, Math.max(0, Math.floor(Math.log2(Math.max(value, 1)) / 10)));
  return `${fixed(value / 1024 ** at, 0)} ${words[at]}`;
}

/** Fewer decimals for larger numbers. */
function telling(value: number): number {
  const size = Math.abs(value);
  if (size >= 100 || Number.isInteger(value)) return 0;
  return size >= 10 ? 1 : size >= 1 ? 2 : 3;
}
