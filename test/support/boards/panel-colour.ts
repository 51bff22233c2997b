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
const palette = ['#73bf69', '#f2cc0c', '#8ab8ff', '#ff780a', '#f2495c', '#5794f2', '#b877d9', '#705da0', '#37872d'];

/** The CSS colour of a name such as `dark-red`; without a name, that of the palette at a place. */
export function colourOf(name: string | undefined, at = 0): string {
  if (name === undefined) return palette[at % palette.length] ?? '';
  if (name.startsWith('#')) return name;
  const [, shade = '', hue = ''] = name.match(/^(?:(semi-dark|dark|light|super-light)-)?(\w+)$/) ?? [];
  const base = hues[hue] ?? '#ffffff';
  if (shade === '') return base;
  const isDark = shade.includes('dark');
  const percent = shade.includes('-') ? 15 : 40;
  return `color-mix(in srgb, ${base}, ${isDark ? 'black' : 'white'} ${percent}%)`;
}
