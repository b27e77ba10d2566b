import type { Plugin } from "vite";

/**
 * The policy of the page. Workers have the policy of their own responses, or none if the host sets no headers, so that they may
 * load onnxruntime's wasm and weights from other hosts. docs/hosting.md lists the headers.
 */
export const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob: data:",
  "connect-src 'self' blob:",
  "worker-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

/** Adds the policy to the built page. Vite's dev server cannot run with it, because it inlines styles and its client. */
export function contentSecurityPolicy(): Plugin {
  return {
    name: "kleinbild:content-security-policy",
    apply: "build",
    transformIndexHtml: {
      order: "post",
      handler: () => [
        {
          tag: "meta",
          attrs: { "http-equiv": "Content-Security-Policy", content: PAGE_POLICY },
          injectTo: "head-prepend",
        },
      ],
    },
  };
}
