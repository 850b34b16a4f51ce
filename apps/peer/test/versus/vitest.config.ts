/**
 * What is measured beside real ZooKeeper servers in the same run. Its files end in `.versus.ts`, so that a plain
 * `vitest run` leaves them alone. Figures are printed, never judged: they are as good as the machine is idle.
 */
import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"

export default defineConfig({
  root: fileURLToPath(new URL("../../../..", import.meta.url)),
  test: {
    include: ["apps/peer/test/versus/*.versus.ts"],
    fileParallelism: false,
    testTimeout: 600_000
  }
})
