import type * as v from "valibot";
import { describe, expectTypeOf, it } from "vitest";
import type {
  ImageInferenceOutput,
  imageInferenceSchema,
} from "../../../runtime/task/schema/image-inference-schema.ts";
import type {
  ImageInferenceTask,
  ResolvedAcceleratorOptions,
} from "../../../runtime/task/schema/image-inference-task.ts";
import type { SchedulerName } from "../../../runtime/sampling/scheduler.ts";

/** The schema's own types, as the interfaces write them. */
type ReadOnly<Value> = Value extends readonly (infer Item)[]
  ? readonly ReadOnly<Item>[]
  : Value extends object
    ? { readonly [Name in keyof Value]: ReadOnly<Value[Name]> }
    : Value;
type Input = ReadOnly<v.InferInput<ReturnType<typeof imageInferenceSchema>>>;

// compile-time checks by tsc; nothing happens at run time
describe("the types for users", () => {
  it("match the schema in both directions", () => {
    expectTypeOf<Input>().toExtend<ImageInferenceTask>();
    expectTypeOf<ImageInferenceTask>().toExtend<Input>();
    expectTypeOf<keyof ImageInferenceTask>().toEqualTypeOf<keyof Input>();
    type Options = NonNullable<ImageInferenceTask["acceleratorOptions"]>;
    expectTypeOf<keyof Options>().toEqualTypeOf<keyof NonNullable<Input["acceleratorOptions"]>>();
    expectTypeOf<keyof NonNullable<ImageInferenceTask["ultralytics"]>>().toEqualTypeOf<
      keyof NonNullable<Input["ultralytics"]>
    >();
    expectTypeOf<ImageInferenceTask["seed"]>().toEqualTypeOf<number | bigint | string | undefined>();
    expectTypeOf<ImageInferenceTask["scheduler"]>().toEqualTypeOf<SchedulerName | undefined>();
  });

  it("leave no default open once a task is resolved", () => {
    expectTypeOf<ImageInferenceOutput["seed"]>().toEqualTypeOf<bigint | undefined>();
    expectTypeOf<ImageInferenceOutput["steps"]>().toEqualTypeOf<number>();
    expectTypeOf<ResolvedAcceleratorOptions["fbCacheThreshold"]>().toEqualTypeOf<number>();
  });
});
