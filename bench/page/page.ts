import { type OperatorReport, runOperators } from "../run-operators.ts";

/** What the program calls in the page. */
export interface BenchPage {
  operators(dtype: "f32" | "f16" | undefined, repeats: number): Promise<OperatorReport>;
}

const page: BenchPage = {
  operators: (dtype, repeats) => runOperators(navigator.gpu, dtype, repeats),
};

Object.assign(globalThis, { kleinbildPage: page });
