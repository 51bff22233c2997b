/** Options and arguments that several commands share: choices, whole numbers in a range, JSON. */
import { InvalidArgumentError, Option } from 'commander';
import { type JsonObject, jsonObjectSchema } from '../shapes/json.ts';

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

/** A JSON object, as a tool takes its arguments. */
export function jsonObject(text: string): JsonObject {
  try {
    return jsonObjectSchema.parse(JSON.parse(text));
  } catch {
    throw new InvalidArgumentError('must be a JSON object, such as \'{"a": 1}\'.');
  }
}
