/** How much of everything there may be at once, and how long it may take: the key `limits` of the configuration. */
import { z } from 'zod';

const milliseconds = (defaultValue: number, min: number, max: number) =>
  z.int().min(min).max(max).default(defaultValue);

/** `limits` in `hestia.config.json`. What is over a limit is refused at once. */
export const limitsSchema = z
  .strictObject({
    callTimeoutMs: milliseconds(30_000, 100, 600_000).describe('Deadline of a tool call that names none.'),
    callTimeoutMsMax: milliseconds(300_000, 100, 3_600_000).describe('The longest deadline a call may name.'),
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
      .describe(
        'Requests under way in all, streams and probes left out; one more is answered 503 before it is looked at.',
      ),
    requestBytesHeldMax: z
      .int()
      .min(1024)
      .max(17_179_869_184)
      .default(268_435_456)
      .describe('Bodies of all requests under way, in bytes; one more is answered 503 before it is read.'),
    memoryBytesMax: z
      .int()
      .min(67_108_864)
      .max(68_719_476_736)
      .default(1_073_741_824)
      .describe('Memory of the process beyond its code, in bytes; requests are answered 503 while it holds more.'),
    connectTimeoutMs: milliseconds(30_000, 100, 300_000).describe('Deadline of connecting to an upstream server.'),
    reconnectDelayMs: milliseconds(500, 10, 60_000).describe(
      'Wait before the first attempt to reconnect; doubled for each further one.',
    ),
    reconnectDelayMsMax: milliseconds(60_000, 10, 3_600_000).describe('The longest wait between two attempts.'),
    healthCheckIntervalMs: milliseconds(30_000, 100, 3_600_000).describe(
      'How often a connected server is asked whether it is there.',
    ),
    toolsPerServerMax: z.int().min(1).max(100_000).default(10_000).describe('Tools taken from one server.'),
    drainMs: milliseconds(4_000, 0, 4_500).describe('How long calls may go on after SIGTERM.'),
    requestsPerMinute: z
      .int()
      .min(1)
      .max(100_000_000)
      .default(60_000)
      .describe('Requests that one key may make in a minute; one more is answered 429.'),
    authFailuresPerMinute: z
      .int()
      .min(1)
      .max(1_000_000)
      .default(300)
      .describe('Failed authentications of one address that are answered and put on record in a minute; more get 429.'),
    callsRunningMax: z
      .int()
      .min(1)
      .max(100_000)
      .default(1024)
      .describe('Tool calls under way in all; one more is answered 503 at once.'),
    callsRunningPerServerMax: z
      .int()
      .min(1)
      .max(100_000)
      .default(256)
      .describe('Tool calls under way at one upstream server; one more is answered 503 at once.'),
    headersTimeoutMs: milliseconds(10_000, 100, 300_000).describe('How long a client may take to send its headers.'),
    requestTimeoutMs: milliseconds(60_000, 100, 3_600_000).describe('How long a client may take to send a request.'),
  })
  .prefault({});
