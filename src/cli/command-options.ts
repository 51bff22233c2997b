/** Parsers of command options and arguments: choices, whole numbers in a range, JSON objects. */
import { InvalidArgumentError, Option } from 'commander';
import { type JsonObject, jsonObjectSchema } from '../shapes/json.ts';

/** An option that accepts one value of a closed list. */
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

/** Parses a JSON object, such as the arguments of a tool. @throws InvalidArgumentError for anything else */
export function jsonObject(text: string): JsonObject {
  try {
    return jsonObjectSchema.parse(JSON.parse(text));
  } catch {
    throw new InvalidArgumentError('must be a JSON object, such as \'{"a": 1}\'.');
  }
}
