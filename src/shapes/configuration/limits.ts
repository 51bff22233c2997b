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
    connectWaitMs: milliseconds(10_000, 0, 600_000).describe(
      'Longest time that a call waits for a server that is connecting. 0: it fails at once.',
    ),
    responseBytesMax: z
      .int()
      .min(1024)
      .max(104_857_600)
      .default(10_485_760)
      .describe('Largest tool response, in bytes of its JSON.'),
    requestBytesMax: z
      .int()
      .min(1024)
      .max(67_108_864)
      .default(4_194_304)
      .describe('Largest request body, in bytes, but for the publication of a skill. Larger ones get status 413.'),
    skillRequestBytesMax: z
      .int()
      .min(1024)
      .max(67_108_864)
      .default(25_165_824)
      .describe(
        'Largest body of `PUT /v1/skills/{name}`, in bytes. The files of a skill are in it, in JSON and base64.',
      ),
    requestValuesMax: z
      .int()
      .min(1000)
      .max(10_000_000)
      .default(250_000)
      .describe('Most JSON values in a body over 65,536 bytes. Parsed, a value takes much more memory than its text.'),
    requestsRunningMax: z
      .int()
      .min(1)
      .max(100_000)
      .default(2048)
      .describe(
        'Concurrent requests, except streams and probes. Further ones get status 503 before they are read. Each key has a share: it may have as many as are left.',
      ),
    requestBytesHeldMax: z
      .int()
      .min(1024)
      .max(17_179_869_184)
      .default(268_435_456)
      .describe(
        'Bodies of all concurrent requests, in bytes, counted as they arrive, with 64 bytes for each JSON value; at most a quarter of the memory limit. Further ones get status 503. Each key has a share, as above.',
      ),
    resultBytesHeldMax: z
      .int()
      .min(1024)
      .max(17_179_869_184)
      .default(268_435_456)
      .describe(
        'Responses over 65,536 bytes that clients have not read yet, in bytes, with 64 bytes for each JSON value; at most a quarter of the memory limit. A result beyond it is dropped, and the call gets status 503. Each key has a share, as above.',
      ),
    resultReadMsMax: milliseconds(30_000, 100, 3_600_000).describe(
      'How long a client may read nothing of a response over 65,536 bytes before it is disconnected. In all it may take this time, and a second for each 64,000 bytes.',
    ),
    memoryBytesMax: z
      .int()
      .min(67_108_864)
      .max(68_719_476_736)
      .optional()
      .describe(
        'Memory that the process may hold after garbage collection, in bytes. While it holds more, requests get status 503, but for those of operators and probes. If unset, and at most: 70 % of the heap that V8 has, or half of the memory of the container or machine.',
      ),
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
    serverDeathsMax: z
      .int()
      .min(2)
      .max(1000)
      .default(10)
      .describe('Failures in a row of a server over stdio, each soon after a start, after which it is quarantined.'),
    serverQuarantineMs: milliseconds(600_000, 10, 86_400_000).describe(
      'Delay before a quarantined server is started again. A request to connect it starts it at once.',
    ),
    healthCheckIntervalMs: milliseconds(30_000, 100, 3_600_000).describe(
      'Interval of health checks of a connected server.',
    ),
    toolsPerServerMax: z.int().min(1).max(100_000).default(10_000).describe('Most tools accepted from one server.'),
    toolLengthMax: z
      .int()
      .min(1024)
      .max(10_485_760)
      .default(262_144)
      .describe(
        'Longest definition of a tool, prompt or resource that is accepted from a server, in UTF-16 units of its texts and names.',
      ),
    toolsLengthPerServerMax: z
      .int()
      .min(1024)
      .max(104_857_600)
      .default(16_777_216)
      .describe(
        'Most UTF-16 units in all definitions of one list of a server. Tools, prompts and resources beyond it are refused and counted.',
      ),
    pinnedBytesPerServerMax: z
      .int()
      .min(1_048_576)
      .max(1_099_511_627_776)
      .default(67_108_864)
      .describe(
        'Bytes of pinned definitions of one server. Beyond it, those of tools that it no longer lists are deleted, the oldest first; their digests are kept.',
      ),
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
    searchesPerMinute: z
      .int()
      .min(1)
      .max(100_000_000)
      .default(6000)
      .describe('Searches of tools that one key may make in a minute. Further ones get status 429.'),
    skillVersionsPerHour: z
      .int()
      .min(1)
      .max(1_000_000)
      .default(1000)
      .describe('Versions of skills that one key may publish in an hour. Further ones get status 429.'),
    skillBytesPerHour: z
      .int()
      .min(16_777_216)
      .max(1_099_511_627_776)
      .default(134_217_728)
      .describe('Bytes of skills that one key may publish in an hour. Further ones get status 429.'),
    skillBytesStoredMax: z
      .int()
      .min(16_777_216)
      .max(1_099_511_627_776)
      .default(1_073_741_824)
      .describe(
        'Bytes of all stored versions of skills that one agent has published in a namespace, counted for each version. A further one gets status 409 until retention has deleted older ones.',
      ),
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
        'Open streams of list changes, sessions of `/sse` and subscriptions, at all endpoints. Further ones get status 503. Each key has a share: it may have as many as there are places left.',
      ),
    clientSessionsMax: z
      .int()
      .min(1)
      .max(100_000)
      .default(1024)
      .describe(
        'Sessions of 2025-era clients at the endpoints of servers, shared out by key. Further ones get status 503.',
      ),
    clientSessionsPerServerMax: z
      .int()
      .min(1)
      .max(10_000)
      .default(32)
      .describe(
        'Sessions of one upstream server that belong to single clients, shared out by key: for 2025-era clients that a server may ask for input, such as sampling. For a server over stdio each is a process.',
      ),
    clientSessionIdleMs: milliseconds(1_800_000, 1000, 86_400_000).describe(
      'How long a session of a client may be without a request and without a stream before it ends.',
    ),
    headersTimeoutMs: milliseconds(10_000, 100, 300_000).describe('How long a client may take to send its headers.'),
    requestTimeoutMs: milliseconds(60_000, 100, 3_600_000).describe('How long a client may take to send a request.'),
  })
  .prefault({});
