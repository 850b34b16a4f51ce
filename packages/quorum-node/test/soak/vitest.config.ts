/**
 * What takes long because it does the same thing very often. Its files end in `.soak.ts`, so that a plain `vitest run`
 * leaves them alone; they run one after another because they measure the heap of their process.
 */
import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"

export default defineConfig({
  root: fileURLToPath(new URL("../../../..", import.meta.url)),
  test: {
    include: ["packages/*/test/soak/*.soak.ts"],
    fileParallelism: false,
    testTimeout: 90_000
  }
})
