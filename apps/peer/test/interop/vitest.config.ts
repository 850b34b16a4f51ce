/**
 * The suite against real ZooKeeper servers. Its files end in `.interop.ts`, so that a plain `vitest run` leaves them
 * alone; they run one after another because every test starts several JVMs.
 */
import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"

export default defineConfig({
  root: fileURLToPath(new URL("../../../..", import.meta.url)),
  test: {
    include: ["apps/peer/test/interop/*.interop.ts"],
    fileParallelism: false,
    testTimeout: 180_000,
    hookTimeout: 60_000
  }
})
