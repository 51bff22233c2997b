/** Draws the charts of the page with uPlot: lines, bars or stacks, with the limits of the axis. Sets `drawn` when it is done. */
for (const element of document.querySelectorAll('[data-chart]')) {
  const chart = JSON.parse(element.dataset.chart);
  const { times, lines, isStacked, style } = chart;
  const total = times.map(() => 0);
  const drawn = lines.map(({ values }) =>
    values.map((value, at) => {
      if (!isStacked) return value;
      total[at] += value ?? 0;
      return total[at];
    }),
  );
  // A stack is drawn from its top, so that each part covers what is above it.
  const order = lines.map((_, at) => (isStacked ? lines.length - 1 - at : at));
  const bars = style === 'bars' ? { paths: uPlot.paths.bars({ size: [0.8, 20] }) } : {};
  const series = order.map((at) => ({
    label: lines[at].name,
    stroke: lines[at].colour,
    width: isStacked && style !== 'bars' ? 0 : 1,
    ...(style === 'bars' || isStacked ? { fill: lines[at].colour } : {}),
    points: { show: false },
    ...bars,
  }));
  const numbers = drawn.flat().filter((value) => value !== null);
  const peak = chart.max ?? Math.max(chart.softMax ?? 0, ...numbers) * 1.05;
  const axis = {
    stroke: '#ccccdc',
    grid: { stroke: '#2c2f36', width: 1 },
    ticks: { show: false },
    font: '11px sans-serif',
  };
  new uPlot(
    {
      width: element.clientWidth,
      height: element.clientHeight,
      legend: { show: false },
      cursor: { show: false },
      scales: { y: { range: [0, peak || 1] } },
      series: [{}, ...series],
      axes: [
        { ...axis, space: 70, values: (_, ticks) => ticks.map(timeText) },
        { ...axis, size: 56, values: (_, ticks) => ticks.map((tick) => tickText(tick, chart.unit)) },
      ],
    },
    [times, ...order.map((at) => drawn[at])],
    element,
  );
}
document.body.dataset.drawn = 'yes';

/** A time of an axis, as Grafana writes it for a short range: hours, minutes and seconds, which fit on one line. */
function timeText(seconds) {
  return new Date(seconds * 1000).toISOString().slice(11, 19);
}

/** A number of an axis in the unit of its chart. */
function tickText(tick, unit) {
  const short = (number) => `${Number(number.toPrecision(3))}`;
  if (unit === 'percentunit') return `${short(tick * 100)}%`;
  if (unit === 'bytes') return `${short(tick / 1024 ** 2)} MiB`;
  if (unit === 's') return tick < 1 && tick > 0 ? `${short(tick * 1000)} ms` : `${short(tick)} s`;
  return short(tick);
}
