/** Parsers of command options and arguments: choices, whole numbers in a range, JSON objects. */
import { InvalidArgumentError, Option } from 'commander';
import { type JsonObject, jsonObjectSchema } from '../shapes/json.ts';

/** An option that accepts one value of a closed list. */
export function choiceOption(flags: string, description: string, choices: readonly string[]): Option {
  return new Option(flags, description).choices(choices);
}

/** The query of a path, with the options that are given; empty if there are none. */
export function queryOf(options: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(options).filter((one): one is [string, string] => one[1] !== undefined);
  return given.length === 0 ? '' : `?${new URLSearchParams(given)}`;
}

/** A parser for whole numbers from `min` to `max`. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`must be a whole number from ${min} to ${max}.`);
  };
}

const dayMs = 86_400_000;
const inDays = new Map([
  ['m', 1 / 1440],
  ['h', 1 / 24],
  ['d', 1],
]);

/** Parses a time to come, such as `12h`, `30d` or `2027-01-31`, to days from now. @throws InvalidArgumentError */
export function daysFromNow(text: string): number {
  const { count, unit } = /^(?<count>\d{1,6})(?<unit>[mhd])$/.exec(text)?.groups ?? {};
  const days =
    count === undefined ? (Date.parse(text) - Date.now()) / dayMs : Number(count) * (inDays.get(unit ?? '') ?? 0);
  if (days > 0) return days;
  throw new InvalidArgumentError('must be a time to come, such as 2027-01-31, or in how long, such as 12h or 30d.');
}

/** Parses a JSON object, such as the arguments of a tool. @throws InvalidArgumentError for anything else */
export function jsonObject(text: string): JsonObject {
  try {
    return jsonObjectSchema.parse(JSON.parse(text));
  } catch {
    throw new InvalidArgumentError('must be a JSON object, such as \'{"a": 1}\'.');
  }
}
