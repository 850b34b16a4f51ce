/**
 * The iteration order of a Java `HashMap` or `HashSet` of `Long` keys.
 *
 * ZooKeeper prints configuration lines and addresses its broadcasts in this
 * order, so it is visible on the wire. A key's hash is its two halves xored and
 * spread; its bucket the low bits of that; within a bucket, insertion order.
 */

/** The smallest table Java makes. */
const TABLE_SIZE_MIN = 16

const bucketOf = (key: bigint, size: number): number => {
  const folded = Number(BigInt.asIntN(32, key ^ (BigInt.asUintN(64, key) >> 32n)))
  return (folded ^ (folded >>> 16)) & (size - 1)
}

/** The keys in the order in which Java's hash table of that many entries yields them. */
export const hashOrder = (keys: Iterable<bigint>): ReadonlyArray<bigint> => {
  const list = Array.from(keys)
  let size = TABLE_SIZE_MIN
  // Java doubles the table when it holds more than three quarters of its size.
  while (list.length > size * 0.75) size *= 2
  return list
    .map((key, index) => ({ key, index, bucket: bucketOf(key, size) }))
    .sort((a, b) => a.bucket - b.bucket || a.index - b.index)
    .map(({ key }) => key)
}
