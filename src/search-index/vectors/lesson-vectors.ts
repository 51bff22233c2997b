/**
 * What outcomes taught, in a vector store that hubs share: the vector of each request with its outcome beside it. Written
 * behind the scenes from the database, and read by the other hubs, each lesson once.
 */
import { type Lesson, type LessonText, lessonSchema } from '../../shapes/search.ts';
import type { Log } from '../../telemetry/log.ts';
import type { Embeddings } from './embeddings.ts';
import type { VectorLabels, VectorStore } from './store.ts';
import { createVectorFeed, type FeedItem, type VectorFeed } from './write-behind.ts';

/** Lessons of this hub and of others. Dispose it to stop writing and reading. */
export interface LessonVectors extends AsyncDisposable {
  feed: VectorFeed;
  /** Says that a lesson of this hub is written. Returns at once. */
  learned(callId: string): void;
  /** Reads what other hubs shared, now and from then on, the oldest first; call it once. */
  follow(learn: (lesson: Lesson) => void): void;
}

/** The written lessons of this hub. */
export interface LessonSource {
  /** The lessons of these calls with the request that each was found by; those that are gone are missing. */
  lessonTexts(callIds: readonly string[]): Promise<LessonText[]>;
  /** The calls of the newest lessons, at most `limit`. */
  newestLessons(limit: number): Promise<string[]>;
}

/** What it is made of. */
export interface LessonVectorsDeps {
  embeddings: Embeddings;
  store: VectorStore;
  searchStore: LessonSource;
  isReady: () => boolean;
  log: Log;
}

/** Lessons of this hub that are kept in the store, the newest ones. */
const lessonsSharedMax = 20_000;
/** Lessons never change, so that one state is all there is to compare. */
const digest = 'lesson';

/** Makes the lessons' side of the store. */
export function createLessonVectors(deps: LessonVectorsDeps): LessonVectors {
  const { store, searchStore, isReady } = deps;
  const feed = createVectorFeed({
    ...deps,
    items: async (ids) => new Map((await searchStore.lessonTexts(ids)).map((each) => [each.lesson.callId, item(each)])),
    digests: async () => new Map((await searchStore.newestLessons(lessonsSharedMax)).map((callId) => [callId, digest])),
  });
  const reading = createReading(store, isReady);
  return {
    feed,
    learned: feed.changed,
    follow: reading.start,
    async [Symbol.asyncDispose]() {
      reading[Symbol.dispose]();
      await feed[Symbol.asyncDispose]();
    },
  };
}

function item({ lesson, query }: LessonText): FeedItem {
  const { queryKey, toolNamespace, ...labels } = lesson;
  const optional = {
    ...(queryKey !== undefined && { queryKey }),
    ...(toolNamespace !== undefined && { toolNamespace }),
  };
  return { text: query, digest, labels: { ...labels, ...optional, sharedAt: Date.now() } };
}

const readIntervalMs = 5_000;
/** How far back a start reads: past two half-lives of 30 days little of a lesson is left. */
const readBackMs = 60 * 86_400_000;
/** Clocks of hubs differ, and a write takes its time: what was shared shortly before is read again. */
const overlapMs = 60_000;
/** Lessons whose ids are kept, so that none is learned twice. */
const knownMax = 40_000;

function createReading(store: VectorStore, isReady: () => boolean) {
  const known = new Set<string>();
  let readUpTo = Date.now() - readBackMs;
  let timer: NodeJS.Timeout | undefined;
  let isEnded = false;

  async function read(learn: (lesson: Lesson) => void): Promise<void> {
    if (!isReady()) return;
    const found = (await store.others({ label: 'sharedAt', above: readUpTo - overlapMs })).flatMap(parsed);
    for (const { lesson, sharedAt } of found.sort((one, other) => one.lesson.recordedAt - other.lesson.recordedAt)) {
      // A clock that is ahead must not hide what others share meanwhile.
      readUpTo = Math.max(readUpTo, Math.min(sharedAt, Date.now()));
      if (known.has(lesson.callId) || isEnded) continue;
      known.add(lesson.callId);
      learn(lesson);
    }
    for (const callId of [...known.values().take(Math.max(0, known.size - knownMax))]) known.delete(callId);
  }

  function start(learn: (lesson: Lesson) => void): void {
    read(learn)
      // The store is away, of which its connection tells; what it has is read when it is back.
      .catch(() => undefined)
      .finally(() => {
        if (!isEnded) timer = setTimeout(start, readIntervalMs, learn).unref();
      });
  }

  return {
    start,
    [Symbol.dispose]: () => {
      isEnded = true;
      clearTimeout(timer);
    },
  };
}

/** Other hubs may be of another version: what does not parse is passed over. */
function parsed({ labels }: { labels: VectorLabels }): { lesson: Lesson; sharedAt: number }[] {
  const fields = Object.keys(lessonSchema.shape).flatMap((key) => (key in labels ? [[key, labels[key]]] : []));
  const lesson = lessonSchema.safeParse(Object.fromEntries(fields));
  const { sharedAt } = labels;
  return lesson.success && typeof sharedAt === 'number' ? [{ lesson: lesson.data, sharedAt }] : [];
}
