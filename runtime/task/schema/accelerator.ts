import * as v from "valibot";
import { flag, float, integer } from "../../validation/field-kinds.ts";

/** Thresholds and distances of the caches: 0 to 1. */
const share = (description: string): v.GenericSchema<number> =>
  float({ min: 0, max: 1, multipleOf: 0.01, description });

/** `acceleratorOptions`, twelve fields. Rules between fields are in conditions.ts. */
export const acceleratorOptionsSchema = v.strictObject({
  cacheEndStep: v.optional(
    integer({ min: 1, description: "Step before which reuse ends: above cacheStartStep, at most steps." }),
  ),
  cacheEndStepPercentage: v.optional(
    integer({
      min: 1,
      max: 100,
      description: "The end of reuse as a percentage of the steps, instead of cacheEndStep.",
    }),
  ),
  cacheMaxConsecutiveSteps: v.optional(
    integer({ min: 1, max: 5, description: "Steps in a row that may reuse before one is computed." }),
    3,
  ),
  cacheStartStep: v.optional(
    integer({ min: 0, description: "Step, from 0, from which computations may be reused: below cacheEndStep." }),
  ),
  cacheStartStepPercentage: v.optional(
    integer({
      min: 0,
      max: 99,
      description: "The start of reuse as a percentage of the steps, instead of cacheStartStep.",
    }),
  ),
  fbCache: v.optional(flag({ description: "First-block cache." }), false),
  fbCacheThreshold: v.optional(share("First-block cache: larger values reuse more, 0 nothing."), 0.25),
  teaCache: v.optional(flag({ description: "TeaCache." }), false),
  teaCacheDistance: v.optional(share("TeaCache: larger values reuse more, 0 nothing."), 0.5),
  dbCache: v.optional(flag({ description: "DB cache." }), false),
  dbCacheThreshold: v.optional(share("DB cache: larger values reuse more, 0 nothing."), 0.25),
  dbCacheSkipInterval: v.optional(
    integer({ min: 1, description: "DB cache: steps between two that compute everything." }),
    5,
  ),
});
