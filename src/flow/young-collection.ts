/** Settings of V8's garbage collector: young objects are collected by one thread. */
import { setFlagsFromString } from 'node:v8';

/**
 * Lets the thread that allocates collect its young objects alone. A hub leaves few of them alive, and the threads that V8 wakes for
 * them each time cost more than they save, most of all where other processes use the processors. Holds for all threads of the
 * process. V8 reads the flag at each collection, so that it may be set while the process runs.
 */
export function collectYoungOnOneThread(): void {
  setFlagsFromString('--no-parallel-scavenge');
}
