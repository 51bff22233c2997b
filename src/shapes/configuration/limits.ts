/** Limits on sizes, counts, rates and times: the key `limits` of the configuration. */
import { z } from 'zod';

const milliseconds = (defaultValue: number, min: number, max: number) =>
  z.int().min(min).max(max).default(defaultValue);

/** `limits` in `hestia.config.json`. Work beyond a limit is refused at once. */
export const limitsSchema = z
  .strictObject({
    callTimeoutMs: milliseconds(30_000, 100, 600_000).describe(
      'Default deadline of a tool call. Progress that the server reports starts it anew.',
    ),
    callTimeoutMsMax: milliseconds(300_000, 100, 3_600_000).describe(
      'Longest deadline that a call may request, or reach by progress.',
    ),
    responseBytesMax: z
      .int()
      .min(1024)
      .max(104_857_600)
      .default(10_485_760)
      .describe('Largest tool response, in bytes of its JSON.'),
    requestBytesMax: z.int().min(1024).max(67_108_864).default(12_582_912).describe('Largest request body, in bytes.'),
    requestsRunningMax: z
      .int()
      .min(1)
      .max(100_000)
      .default(2048)
      .describe('Concurrent requests, except streams and probes. Further ones get status 503 before they are read.'),
    requestBytesHeldMax: z
      .int()
      .min(1024)
      .max(17_179_869_184)
      .default(268_435_456)
      .describe('Bodies of all concurrent requests, in bytes. Further ones get status 503 before they are read.'),
    memoryBytesMax: z
      .int()
      .min(67_108_864)
      .max(68_719_476_736)
      .default(1_073_741_824)
      .describe('Memory of the process besides its code, in bytes. Requests get status 503 while it uses more.'),
    connectTimeoutMs: milliseconds(30_000, 100, 300_000).describe(
      'Deadline of a connection attempt to an upstream server.',
    ),
    reconnectDelayMs: milliseconds(500, 10, 60_000).describe(
      'Delay before the first attempt to reconnect; doubled for each further attempt.',
    ),
    reconnectDelayMsMax: milliseconds(60_000, 10, 3_600_000).describe('Longest delay between two attempts.'),
    permanentFailureRetryMs: milliseconds(300_000, 10, 86_400_000).describe(
      'Delay between attempts while a person has to change something first: a program that does not exist, or HTTP status 401, 403, 405 or 410.',
    ),
    healthCheckIntervalMs: milliseconds(30_000, 100, 3_600_000).describe(
      'Interval of health checks of a connected server.',
    ),
    toolsPerServerMax: z.int().min(1).max(100_000).default(10_000).describe('Most tools accepted from one server.'),
    drainMs: milliseconds(4_000, 0, 4_500).describe('How long running calls may continue after SIGTERM.'),
    requestsPerMinute: z
      .int()
      .min(1)
      .max(100_000_000)
      .default(60_000)
      .describe('Requests that one key may make in a minute. Further ones get status 429.'),
    authFailuresPerMinute: z
      .int()
      .min(1)
      .max(1_000_000)
      .default(300)
      .describe('Failed authentications of one address that are recorded in a minute. Further ones get status 429.'),
    callsRunningMax: z
      .int()
      .min(1)
      .max(100_000)
      .default(1024)
      .describe(
        'Concurrent tool calls. Further ones get status 503 at once. Each key has a share: it may have as many as there are places left.',
      ),
    callsRunningPerServerMax: z
      .int()
      .min(1)
      .max(100_000)
      .default(256)
      .describe(
        'Concurrent tool calls to one upstream server. Further ones get status 503 at once. Each key has a share, as above.',
      ),
    streamsMax: z
      .int()
      .min(1)
      .max(100_000)
      .default(1024)
      .describe(
        'Open streams of list changes and subscriptions. Further ones get status 503. Each key has a share: it may have as many as there are places left.',
      ),
    headersTimeoutMs: milliseconds(10_000, 100, 300_000).describe('How long a client may take to send its headers.'),
    requestTimeoutMs: milliseconds(60_000, 100, 3_600_000).describe('How long a client may take to send a request.'),
  })
  .prefault({});
