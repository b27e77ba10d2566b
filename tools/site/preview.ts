import type { Plugin } from "vite";

/** Has `vite preview` answer as docs/hosting.md asks of a host: files with a hash in their name are kept, others asked for. */
export function hostLikeAnswers(): Plugin {
  return {
    name: "kleinbild:host-like-answers",
    configurePreviewServer({ middlewares }) {
      middlewares.use(({ url, headers }, response, next) => {
        if (url?.startsWith("/assets/")) response.setHeader("Cache-Control", "public, max-age=31536000, immutable");
        delete headers["accept-encoding"]; // it would compress parts of files, which no cache can put together
        next();
      });
    },
  };
}
