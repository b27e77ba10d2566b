import type { Plugin } from "vite";

/**
 * What the page itself may do. Its workers have the policy of their own responses, which is none on a host that sets no
 * headers: onnxruntime's wasm and weights from other hosts are their business. docs/hosting.md has the headers.
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

/** Puts the policy into the built page. Vite's dev server could not run under it: it inlines styles and its client. */
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
