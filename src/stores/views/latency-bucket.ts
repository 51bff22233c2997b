/** Buckets of latencies: two for each doubling, so that a percentile is exact to about a fifth. */

/** The bucket of latencies below about 1 µs, and that of latencies above about 9 days. */
const bucketMin = -20;
const bucketMax = 60;

/** The bucket of a latency in milliseconds. */
export function latencyBucket(latencyMs: number): number {
  return Math.min(bucketMax, Math.max(bucketMin, Math.floor(2 * Math.log2(Math.max(latencyMs, Number.MIN_VALUE)))));
}

/** The latency in the middle of a bucket, in milliseconds: the geometric mean of its bounds. */
export function bucketLatencyMs(bucket: number): number {
  return 2 ** ((bucket + 0.5) / 2);
}
