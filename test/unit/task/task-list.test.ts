import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MAX_TASKS, parseTaskList } from "../../../runtime/task/schema/task-list.ts";
import { thrown } from "./tasks.ts";

describe("seeds in a request", () => {
  it.each([
    ["999999999999999", 999999999999999], // 15 digits
    ["1000000000000000", "1000000000000000"],
    ["9007199254740993", "9007199254740993"], // 2^53 + 1
    ["9223372036854775807", "9223372036854775807"],
    ["9223372036854776000", "9223372036854776000"],
    ["10000000000000000000", 1e19], // 20 digits: too large, however it is read
    ["1000000000000000.5", 1000000000000000.5],
    ["1e15", 1e15],
    ["-9007199254740993", -9007199254740992],
    ['"9007199254740993"', "9007199254740993"],
  ])("%s is read as %j", (text, seed) => {
    for (const json of [`[{"seed":${text}}]`, `{ "seed" :\n${text} , "a": 1 }`])
      expect(parseTaskList(json)[0]).toMatchObject({ seed });
  });

  it("are distinguished from texts that look like them", () => {
    const tasks = [{ positivePrompt: '"seed":9007199254740993,', 'x"seed': 1, a: ["seed"] }];
    expect(parseTaskList(JSON.stringify(tasks))).toEqual(tasks);
    expect(parseTaskList('[{"x\\"seed":9007199254740993}]')).toEqual([{ 'x"seed': 9007199254740992 }]);
  });

  it("change nothing else of any request", () => {
    const texts = fc.constantFrom('"seed":1234567890123456}', '\\"seed":1234567890123456,', "seed", "\\", '"');
    const { value } = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { depthSize: "small" },
        texts,
        fc.integer(),
        fc.array(tie("value"), { maxLength: 3 }),
        fc.dictionary(fc.oneof(texts, fc.string()), tie("value"), { maxKeys: 3 }),
      ),
    }));
    fc.assert(
      fc.property(value, (any) => {
        expect(parseTaskList(JSON.stringify([any]))).toEqual([any]);
      }),
    );
  });

  it("do not turn other text into JSON", () => {
    for (const text of ["[{seed:9007199254740993}]", '{"seed":0123456789012345678}', '"seed":9007199254740993,'])
      expect(thrown(() => parseTaskList(text))).toMatchObject([{ code: "invalidJSON" }]);
  });
});

describe("the tasks of a request", () => {
  it("are an array, or one task alone", () => {
    expect(parseTaskList("[]")).toEqual([]);
    expect(parseTaskList("[1,[2]]")).toEqual([1, [2]]);
    expect(parseTaskList('{"taskType":"a"}')).toEqual([{ taskType: "a" }]);
    expect(parseTaskList("null")).toEqual([null]);
  });

  it("are limited in number", () => {
    const json = (count: number): string => JSON.stringify(Array.from({ length: count }, () => 0));
    expect(parseTaskList(json(MAX_TASKS))).toHaveLength(MAX_TASKS);
    expect(thrown(() => parseTaskList(json(MAX_TASKS + 1)))).toMatchObject([{ code: "tooManyTasks", max: MAX_TASKS }]);
  });

  it("are read or refused for any text", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(thrown(() => parseTaskList(text)).every(({ code }) => code === "invalidJSON")).toBe(true);
      }),
    );
  });
});
