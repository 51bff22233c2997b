/** The performance targets of the benchmarks: the limit of each ratio. */

/** The target of a ratio. */
export interface Bar {
  /** Whether a lower ratio is better, as for latency, or a higher one, as for throughput. */
  wanted: 'at most' | 'at least';
  bar: number;
  stretch?: number;
}

const atMost = (bar: number, stretch?: number): Bar => ({
  wanted: 'at most',
  bar,
  ...(stretch !== undefined && { stretch }),
});
const atLeast = (bar: number, stretch?: number): Bar => ({
  wanted: 'at least',
  bar,
  ...(stretch !== undefined && { stretch }),
});

/** Targets by the names of the suites' findings. R0 is the direct call of an HTTP server. */
export const bars: Readonly<Record<string, Bar>> = {
  'HTTP upstream against R0, 1 in flight, p50': atMost(3.2, 2.5),
  'HTTP upstream against R0, 16 in flight, throughput': atLeast(0.4, 0.48),
  'stdio upstream against R0, 1 in flight, p50': atMost(2.2, 1.7),
  'stdio upstream against R0, 16 in flight, throughput': atLeast(0.6, 0.75),
  '/mcp/{server} against /mcp, 16 in flight, throughput': atLeast(1),
  '/mcp/{server} against /mcp, 16 in flight, cpu': atMost(1),
  '/mcp/{server} against /mcp, 1 in flight, p50': atMost(1),
  '/mcp/{server} against /mcp, 1 in flight, cpu': atMost(1),
  'all signals against none, 16 in flight, throughput': atLeast(0.7, 0.8),
  'all signals against none, 1 in flight, p50': atMost(1.3, 1.2),
  'all signals against none, 16 in flight, cpu': atMost(1.6, 1.4),
  'durability full, a transaction a turn against one a record, 16 in flight, throughput': atLeast(1.25, 1.5),
  'collector refused against up, 1 in flight, p50': atMost(1.15),
  'collector refused against up, 16 in flight, throughput': atLeast(0.9),
  'collector hanging against up, 1 in flight, p50': atMost(1.15),
  'collector hanging against up, 16 in flight, throughput': atLeast(0.9),
  'collector answering 503 against up, 1 in flight, p50': atMost(1.15),
  'collector answering 503 against up, 16 in flight, throughput': atLeast(0.9),
  'Hestia against mcp-proxy, 1 in flight, p50': atMost(0.5, 0.4),
  'Hestia against supergateway, 1 in flight, p50': atMost(1, 0.7),
  'Hestia against mcp-hub, 1 in flight, p50': atMost(1.2, 1),
  'Hestia against mcp-proxy, 64 in flight, throughput': atLeast(1.2, 1.5),
  'Hestia against supergateway, 64 in flight, throughput': atLeast(1, 1.2),
  'Hestia against mcp-hub, 64 in flight, throughput': atLeast(0.65, 0.8),
  'search of 10,000 tools against a query of Chroma, p50': atMost(0.5, 0.2),
  'an activation watched against unwatched, p50': atMost(1.5, 1.2),
  'a cleanup of 10,000 rows, longest stall of the event loop': atMost(20, 5),
  'a record with its outcome, 1 a turn, CPU of the event loop': atMost(40, 30),
  'a record with its outcome, 16 a turn, CPU of the event loop': atMost(25, 18),
  'a record at 1,000,000 records against 10,000, 1 a turn, CPU of the event loop': atMost(1.1),
  'a record at 1,000,000 records against 10,000, 16 a turn, CPU of the event loop': atMost(1.1),
  'verification of 1,000,000 records, per record': atMost(6),
  'retention of 1,000,000 records, longest stall of the event loop': atMost(10, 3),
  'retention of 1,000,000 records, longest stall of the event loop, processor time': atMost(10, 3),
  'a page of the console at 1,000,000 records, p95 of the slowest': atMost(100),
  'a call with ten consoles open against without, 1 in flight, p50': atMost(1.1),
  'a further start until 10,000 tools are known': atMost(2),
  'start until ready against an empty process': atMost(1.5),
  'throughput at twice the capacity against the most': atLeast(0.9),
};
