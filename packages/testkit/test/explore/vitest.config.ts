/**
 * What takes minutes because it leaves nothing out. Its files end in `.explore.ts`, so that a plain `vitest run` leaves
 * them alone; they run one after another because each needs memory.
 */
import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"

export default defineConfig({
  root: fileURLToPath(new URL("../../../..", import.meta.url)),
  test: {
    include: ["packages/*/test/explore/*.explore.ts"],
    fileParallelism: false,
    testTimeout: 1_800_000
  }
})
