/** Options and arguments that several commands share: choices, whole numbers in a range, JSON. */
import { InvalidArgumentError, Option } from 'commander';
import { z } from 'zod';

/** An option that takes one of a closed list. */
export function choiceOption(flags: string, description: string, choices: readonly string[]): Option {
  return new Option(flags, description).choices(choices);
}

/** A parser for whole numbers from `min` to `max`. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`must be a whole number from ${min} to ${max}.`);
  };
}

const objectSchema = z.record(z.string(), z.unknown());

/** A JSON object, as a tool takes its arguments. */
export function jsonObject(text: string): Record<string, unknown> {
  try {
    return objectSchema.parse(JSON.parse(text));
  } catch {
    throw new InvalidArgumentError('must be a JSON object, such as \'{"a": 1}\'.');
  }
}
