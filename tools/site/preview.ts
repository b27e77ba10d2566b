import type { Plugin } from "vite";

/** Makes `vite preview` cache files as docs/hosting.md describes: files with a hash in their name are immutable, others are revalidated. */
export function hostLikeAnswers(): Plugin {
  return {
    name: "kleinbild:host-like-answers",
    configurePreviewServer({ middlewares }) {
      middlewares.use(({ url, headers }, response, next) => {
        if (url?.startsWith("/assets/")) response.setHeader("Cache-Control", "public, max-age=31536000, immutable");
        delete headers["accept-encoding"]; // it would compress ranges of files, which no cache can combine
        next();
      });
    },
  };
}
