/**
 * Lessons that hubs share through a vector store: vectors of queries, labelled with their outcomes.
 * Lessons are written from the stored outcomes in the background. Other hubs read each lesson once.
 */
import { BoundedMap } from '../../flow/bounded-map.ts';
import { createRepeatedWork, type RepeatedWork } from '../../flow/repeated-work.ts';
import { type Lesson, type LessonText, lessonSchema } from '../../shapes/search.ts';
import type { Log } from '../../telemetry/log.ts';
import type { Embeddings } from './embeddings.ts';
import type { VectorLabels, VectorStore } from './store.ts';
import { createVectorWriter, type VectorItem, type VectorWriter } from './writer.ts';

/** The shared lessons. Disposing stops writing and reading. */
export interface LessonVectors extends AsyncDisposable {
  writer: VectorWriter;
  /** Shares a lesson of this hub whose outcome is recorded. Returns at once. */
  share(callId: string): void;
  /** Reads the lessons that other hubs share, now and from then on, the oldest first. Call it once. */
  follow(learn: (lesson: Lesson) => void): void;
}

/** The lessons of this hub's stored outcomes. */
export interface LessonSource {
  /** The lessons of these calls with their queries. Deleted ones are missing. */
  lessonTexts(callIds: readonly string[]): Promise<LessonText[]>;
  /** The call ids of the newest lessons, at most `limit`. */
  newestLessons(limit: number): Promise<string[]>;
}

/** Dependencies of the shared lessons. */
export interface LessonVectorsDeps {
  embeddings: Embeddings;
  store: VectorStore;
  storedLessons: LessonSource;
  isReady: () => boolean;
  log: Log;
}

/** The number of this hub's newest lessons that are kept in the store. */
const lessonsSharedMax = 20_000;
/** The digest of all lessons, which never change. */
const digest = 'lesson';

/** Creates the shared lessons. */
export function createLessonVectors(deps: LessonVectorsDeps): LessonVectors {
  const { store, storedLessons, isReady } = deps;
  const writer = createVectorWriter({
    ...deps,
    items: async (ids) =>
      new Map((await storedLessons.lessonTexts(ids)).map((each) => [each.lesson.callId, item(each)])),
    digests: async () =>
      new Map((await storedLessons.newestLessons(lessonsSharedMax)).map((callId) => [callId, digest])),
  });
  const reading = createReading(store, isReady);
  return {
    writer,
    share: writer.enqueue,
    follow: reading.start,
    async [Symbol.asyncDispose]() {
      reading[Symbol.dispose]();
      await writer[Symbol.asyncDispose]();
    },
  };
}

function item({ lesson, query }: LessonText): VectorItem {
  const { queryKey, toolNamespace, ...labels } = lesson;
  const optional = {
    ...(queryKey !== undefined && { queryKey }),
    ...(toolNamespace !== undefined && { toolNamespace }),
  };
  return { text: query, digest, labels: { ...labels, ...optional, sharedAt: Date.now() } };
}

const readIntervalMs = 5_000;
/** How far back a start reads: two half-lives of 30 days, after which a lesson has little weight. */
const readBackMs = 60 * 86_400_000;
/** How far reads overlap, since the clocks of hubs differ and writes take time. */
const overlapMs = 60_000;
/** The most ids of lessons that are kept so that none is learned twice. */
const knownMax = 40_000;

function createReading(store: VectorStore, isReady: () => boolean) {
  const known = new BoundedMap<string, true>(knownMax);
  let readUpTo = Date.now() - readBackMs;
  let reads: RepeatedWork | undefined;
  let isStopped = false;

  async function read(learn: (lesson: Lesson) => void): Promise<void> {
    if (!isReady()) return;
    const found = (await store.others({ label: 'sharedAt', above: readUpTo - overlapMs })).flatMap(parsed);
    for (const { lesson, sharedAt } of found.sort((one, other) => one.lesson.recordedAt - other.lesson.recordedAt)) {
      // Another hub's clock that is ahead must not hide the lessons of others.
      readUpTo = Math.max(readUpTo, Math.min(sharedAt, Date.now()));
      if (known.has(lesson.callId) || isStopped) continue;
      known.set(lesson.callId, true);
      learn(lesson);
    }
  }

  function start(learn: (lesson: Lesson) => void): void {
    // If the store is unavailable, its connection logs that, and its lessons are read once it is available.
    const run = () => read(learn).catch(() => undefined);
    reads = createRepeatedWork({ run, intervalMs: () => readIntervalMs });
    reads.runNow();
  }

  return {
    start,
    [Symbol.dispose]: () => {
      isStopped = true;
      reads?.[Symbol.dispose]();
    },
  };
}

/** Parses a lesson. Lessons of other versions of the hub that do not parse are ignored. */
function parsed({ labels }: { labels: VectorLabels }): { lesson: Lesson; sharedAt: number }[] {
  const fields = Object.keys(lessonSchema.shape).flatMap((key) => (key in labels ? [[key, labels[key]]] : []));
  const lesson = lessonSchema.safeParse(Object.fromEntries(fields));
  const { sharedAt } = labels;
  return lesson.success && typeof sharedAt === 'number' ? [{ lesson: lesson.data, sharedAt }] : [];
}
