/**
 * Temporary directories that live as long as the test that asked for them.
 */
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { onTestFinished } from "vitest"

/** Makes an empty directory and removes it, with all that is in it, when the running test has finished. */
export const make = async (): Promise<string> => {
  const directory = await mkdtemp(join(tmpdir(), "conclave-test-"))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  return directory
}
