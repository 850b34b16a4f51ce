/**
 * Ensembles of processes under faults, in a short form. Its files end in `.chaos.ts`, so that a plain `vitest run`
 * leaves them alone; they run one after another because each starts several processes that must get their turn.
 */
import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"

export default defineConfig({
  root: fileURLToPath(new URL("../../../..", import.meta.url)),
  test: {
    include: ["apps/peer/test/chaos/*.chaos.ts"],
    fileParallelism: false,
    testTimeout: 120_000
  }
})
