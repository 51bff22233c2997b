// Draws the calls of the last hour. The hub replaces the figure when something changed; it is then drawn again.
const colour = (name) => {
  const probe = document.createElement('span');
  probe.style.color = `var(--${name})`;
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
};

const draw = (figure) => {
  const { time, success, failed, latency } = JSON.parse(figure.dataset.minutes);
  figure.dataset.drawn = 'true';
  const axis = {
    stroke: colour('soft'),
    grid: { stroke: colour('line'), width: 1 },
    ticks: { stroke: colour('line'), width: 1 },
  };
  const bars = uPlot.paths.bars({ size: [0.8, 40] });
  // Bars of no height would be drawn as a line.
  const present = (counts) => counts.map((count) => (count === 0 ? null : count));
  const total = success.map((count, index) => count + failed[index]);
  const clock = (seconds) => new Date(seconds * 1000).toTimeString().slice(0, 5);
  // Without a pointer over the chart, its legend has the newest minute.
  const newestOf = (values) => (_plot, _value, _series, at) => values[at ?? values.length - 1] ?? 'none';
  const options = {
    width: Math.max(280, figure.clientWidth),
    height: 240,
    axes: [
      { ...axis, values: (_plot, times) => times.map(clock) },
      { ...axis, size: 50 },
      { ...axis, scale: 'ms', side: 1, size: 60, grid: { show: false } },
    ],
    scales: {
      y: { range: (_plot, _min, max) => [0, Math.max(1, max)] },
      ms: { range: (_plot, _min, max) => [0, Math.max(1, max * 1.1)] },
    },
    series: [
      { label: 'minute', value: newestOf(time.map(clock)) },
      {
        label: 'success',
        stroke: colour('good'),
        fill: colour('good'),
        paths: bars,
        points: { show: false },
        value: newestOf(success),
      },
      {
        label: 'failed',
        stroke: colour('bad'),
        fill: colour('bad'),
        paths: bars,
        points: { show: false },
        value: newestOf(failed),
      },
      {
        label: '95 % within, ms',
        scale: 'ms',
        stroke: colour('accent'),
        width: 2,
        spanGaps: true,
        value: newestOf(latency),
      },
    ],
  };
  new uPlot(options, [time, present(total), present(failed), latency], figure);
};

const drawAll = () => {
  for (const figure of document.querySelectorAll('[data-chart]:not([data-drawn])')) draw(figure);
};
drawAll();
new MutationObserver(drawAll).observe(document.querySelector('#live') ?? document.body, {
  childList: true,
  subtree: true,
});
