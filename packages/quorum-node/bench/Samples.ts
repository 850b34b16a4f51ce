/** Figures from repeated measurements, and how they are printed. */

/** The middle value, or the mean of the two in the middle. */
export const median = (samples: ReadonlyArray<number>): number => {
  const sorted = samples.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** The smallest value that nine in ten do not exceed. */
export const p90 = (samples: ReadonlyArray<number>): number =>
  samples.toSorted((a, b) => a - b)[Math.ceil(samples.length * 0.9) - 1]!

/** Milliseconds with one decimal. */
export const ms = (value: number): string => `${value.toFixed(1)} ms`

/** Rows in columns: the first to the left, the others to the right. */
export const table = (rows: ReadonlyArray<ReadonlyArray<string>>): string => {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  return rows.map((row) =>
    row.map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!))).join("  ")
  ).join("\n")
}
