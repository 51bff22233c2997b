/**
 * Checks of arguments in a worker thread, one after another, each with a deadline. A check that takes longer is given up
 * with its thread, and the next one starts another.
 */
import { Worker } from 'node:worker_threads';
import { z } from 'zod';
import type { JsonObject } from '../../shapes/json.ts';
import { violationSchema } from '../../shapes/violation.ts';
import type { SchemaVerdict } from './schema-violation.ts';

/** Checks arguments in a thread, which starts with the first check. Never rejects. */
export type SchemaThread = (schema: JsonObject, value: JsonObject) => Promise<SchemaVerdict>;

/** Milliseconds that the thread may take to start, to compile a schema, and to check a value. */
const startMsMax = 5000;
const compileMsMax = 1000;
const checkMsMax = 250;
/** Milliseconds that a check may wait for others. */
const waitMsMax = 2000;
/** Schemas that could not be compiled in time so often are not tried again. */
const compileTimeoutsMax = 2;
/** The most checks that wait. */
const waitingMax = 64;
/** Schemas after which the thread is replaced, since it keeps them, and the memory that it may have, in MiB. */
const schemasMax = 200;
const memoryMibMax = 256;

const overTime: SchemaVerdict = { status: 'unchecked', reason: 'time' };

const violations = z.object({ certain: z.array(violationSchema), uncertain: z.array(violationSchema) });
const answerSchema = z.discriminatedUnion('step', [
  z.object({ step: z.literal('ready') }),
  z.object({ step: z.literal('compiled') }),
  z.object({ step: z.literal('checked'), violations: violations.optional() }),
]);

/** Creates the thread's client. */
export function createSchemaThread(): SchemaThread {
  const compileTimeouts = new WeakMap<JsonObject, number>();
  let thread: Thread | undefined;
  let last: Promise<unknown> = Promise.resolve();
  let waiting = 0;

  const check = async (schema: JsonObject, value: JsonObject): Promise<SchemaVerdict> => {
    if (thread === undefined || thread.isFull()) {
      thread?.end();
      thread = new Thread();
    }
    const used = thread;
    const outcome = await used.check(schema, value);
    if (outcome.verdict === undefined) {
      used.end();
      thread = undefined;
      if (outcome.wasCompiling) compileTimeouts.set(schema, (compileTimeouts.get(schema) ?? 0) + 1);
    }
    return outcome.verdict ?? overTime;
  };

  return (schema, value) => {
    const isEndless = (compileTimeouts.get(schema) ?? 0) >= compileTimeoutsMax;
    if (isEndless || waiting >= waitingMax) return Promise.resolve(overTime);
    const latestAt = performance.now() + waitMsMax;
    waiting += 1;
    const checked = last.then(() => (performance.now() > latestAt ? overTime : check(schema, value)));
    last = checked.finally(() => {
      waiting -= 1;
    });
    return checked;
  };
}

/** How a check ended; without a verdict the thread cannot be used again. */
interface ThreadOutcome {
  verdict: SchemaVerdict | undefined;
  wasCompiling: boolean;
}

class Thread {
  readonly #worker = new Worker(new URL('./schema-worker.ts', import.meta.url), {
    resourceLimits: { maxOldGenerationSizeMb: memoryMibMax },
  });
  readonly #ids = new WeakMap<JsonObject, number>();
  #schemas = 0;
  #isReady = false;

  constructor() {
    this.#worker.unref();
  }

  isFull(): boolean {
    return this.#schemas >= schemasMax;
  }

  end(): void {
    void this.#worker.terminate();
  }

  /** Checks a value. The time of the check counts from when the thread is ready. */
  check(schema: JsonObject, value: JsonObject): Promise<ThreadOutcome> {
    const { promise, resolve } = Promise.withResolvers<ThreadOutcome>();
    const worker = this.#worker;
    let wasCompiling = false;
    let timer: NodeJS.Timeout | undefined;
    const settle = (verdict: SchemaVerdict | undefined) => {
      clearTimeout(timer);
      worker.off('message', onMessage).off('error', onEnd).off('exit', onEnd);
      resolve({ verdict, wasCompiling });
    };
    const onEnd = () => settle(undefined);
    const limitTo = (timeMs: number) => {
      clearTimeout(timer);
      timer = setTimeout(onEnd, timeMs);
    };
    const send = () => {
      wasCompiling = !this.#ids.has(schema);
      limitTo(wasCompiling ? compileMsMax : checkMsMax);
      // Arguments that cannot be copied are not checked; the thread is as good as before.
      if (!this.#post(schema, value)) settle(overTime);
    };
    const onMessage = (message: unknown) => {
      const answer = answerSchema.parse(message);
      if (answer.step === 'ready') {
        this.#isReady = true;
        send();
      } else if (answer.step === 'compiled') {
        wasCompiling = false;
        limitTo(checkMsMax);
      } else settle(answer.violations ? { status: 'checked', ...answer.violations } : unchecked);
    };
    worker.on('message', onMessage).on('error', onEnd).on('exit', onEnd);
    if (this.#isReady) send();
    else limitTo(startMsMax);
    return promise;
  }

  #post(schema: JsonObject, value: JsonObject): boolean {
    const known = this.#ids.get(schema);
    const schemaId = known ?? this.#schemas;
    try {
      this.#worker.postMessage({ schemaId, value, ...(known === undefined && { schema }) });
    } catch {
      return false;
    }
    if (known === undefined) {
      this.#ids.set(schema, schemaId);
      this.#schemas += 1;
    }
    return true;
  }
}

const unchecked: SchemaVerdict = { status: 'unchecked', reason: 'schema' };
