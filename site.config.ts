import { defineConfig } from "vite";
import { Licences } from "./tools/bundling/licences.mjs";
import { contentSecurityPolicy } from "./tools/site/content-security-policy.ts";
import { hostLikeAnswers } from "./tools/site/preview.ts";
import { serviceWorker } from "./tools/site/service-worker.ts";

process.env["NODE_ENV"] = "production"; // whatever a shell or a test runner says
const ROOT = import.meta.dirname;
const licences = new Licences();

/** The page as a static folder: `npm run build`, and how `npm start` serves it. */
export default defineConfig({
  root: `${ROOT}/demo`,
  base: "./", // below any folder
  worker: { format: "es", plugins: () => [licences.collect()] },
  plugins: [contentSecurityPolicy(), licences.collect(), serviceWorker(licences), hostLikeAnswers()],
  build: {
    outDir: `${ROOT}/site`,
    emptyOutDir: true,
    target: "es2023",
    // a file of a model that lay in the code as a data: address could not be read under `connect-src 'self'`
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    rolldownOptions: {
      checks: { pluginTimings: false }, // of a build of two seconds
      input: { index: `${ROOT}/demo/index.html`, studio: `${ROOT}/demo/studio.ts` },
      output: {
        // other pages name it in their script tag
        entryFileNames: ({ name }) => (name === "studio" ? "studio.js" : "assets/[name]-[hash].js"),
      },
    },
  },
});
