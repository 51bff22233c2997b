/** Colours of Grafana's dark theme by name, and its palette for series without one. */

const hues: Readonly<Record<string, string>> = {
  green: '#73bf69',
  blue: '#5794f2',
  orange: '#ff9830',
  red: '#f2495c',
  purple: '#b877d9',
  yellow: '#fade2a',
  text: '#22252b',
};
/** The palette in its order. Those that follow are pale. */
const palette = (
  'green yellow blue orange red purple dark-green dark-yellow dark-blue dark-orange dark-red dark-purple ' +
  'super-light-green super-light-yellow super-light-blue super-light-orange super-light-red super-light-purple'
).split(' ');
/** How far a shade is from its hue, in percent of black or white. */
const shades: Readonly<Record<string, number>> = { 'semi-dark': 15, dark: 40, light: 25, 'super-light': 60 };

/** The CSS colour of a name such as `dark-red`; without a name, that of the palette at a place. */
export function colourOf(name: string | undefined, at = 0): string {
  const known = name ?? palette[at % palette.length] ?? '';
  if (known.startsWith('#')) return known;
  const [, shade = '', hue = ''] = known.match(/^(?:(semi-dark|dark|light|super-light)-)?(\w+)$/) ?? [];
  const base = hues[hue] ?? '#ffffff';
  if (shade === '') return base;
  return `color-mix(in srgb, ${base}, ${shade.includes('dark') ? 'black' : 'white'} ${shades[shade]}%)`;
}
