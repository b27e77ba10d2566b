import type { NextConfig } from "next";

/** A folder of static files, in out/. */
const config: NextConfig = { output: "export" };

export default config;
