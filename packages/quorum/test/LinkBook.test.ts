import { assert, describe, it } from "@effect/vitest"
import * as LinkBook from "../src/LinkBook.ts"

const refused = { reason: "Refused", message: "cannot reach 10.0.0.1:3888", at: 1 } as const
const timedOut = { ...refused, reason: "TimedOut" } as const
const lost = { reason: "Lost", message: "the connection closed", at: 3 } as const

const link = (): LinkBook.LinkStory => ({
  dialedBy: "Us",
  remote: "10.0.0.1:3888",
  since: 2,
  traffic: LinkBook.noTraffic()
})

type Happening = Parameters<LinkBook.LinkBook["failed"]>[1] | "up" | "down"

// A book to which this has happened, with the last failure and whether each failure was news.
const after = (...events: ReadonlyArray<Happening>) => {
  const book = LinkBook.make()
  const only = link()
  const news = events.flatMap((event) => {
    if (event === "up") book.up(1n, only)
    else if (event === "down") book.down(1n, only.traffic)
    else return [book.failed(1n, event)]
    return []
  })
  return { book, news, failure: book.stories()[0]?.failure }
}

describe("LinkBook.stories", () => {
  it("tell of nobody at first", () => {
    assert.deepStrictEqual(LinkBook.make().stories(), [])
  })

  it("tell of a connection while there is one", () => {
    const book = LinkBook.make()
    const up = link()
    book.up(1n, up)
    assert.deepStrictEqual(book.stories(), [{ sid: 1n, link: link(), failure: null }])
    book.down(1n, up.traffic)
    assert.deepStrictEqual(book.stories(), [])
  })

  it("tell of the last connection when there were several", () => {
    const book = LinkBook.make()
    const first = link()
    book.up(1n, first)
    book.up(1n, { ...link(), dialedBy: "Them" })
    book.down(1n, first.traffic)
    assert.deepStrictEqual(book.stories().map(({ link }) => link?.dialedBy), ["Them"])
  })

  it("tell what was wrong, also when there is a connection again", () => {
    const failure = { ...refused, count: 1 }
    assert.deepStrictEqual(after(refused).book.stories(), [{ sid: 1n, link: null, failure }])
    assert.deepStrictEqual(after(refused, "up").book.stories(), [{ sid: 1n, link: link(), failure }])
  })

  it("do not change once they are told", () => {
    const { traffic, ...rest } = link()
    const mine = { ...traffic }
    const book = LinkBook.make()
    book.up(1n, { ...rest, traffic: mine })
    const told = book.stories()
    mine.framesSent = 7
    assert.strictEqual(told[0]?.link?.traffic.framesSent, 0)
    assert.strictEqual(book.stories()[0]?.link?.traffic.framesSent, 7)
  })

  it("tell nothing of who is forgotten", () => {
    const { book } = after(refused, "up")
    book.forget(1n)
    assert.deepStrictEqual(book.stories(), [])
    assert.isTrue(book.failed(1n, refused))
    assert.strictEqual(book.stories()[0]?.failure?.count, 1)
  })
})

describe("a failure", () => {
  it.each<readonly [what: string, events: ReadonlyArray<Happening>, news: ReadonlyArray<boolean>, count: number]>([
    ["is news at first", [refused], [true], 1],
    ["is none when it is as the last, and counted", [refused, refused, refused], [true, false, false], 3],
    ["is news with another reason", [refused, timedOut], [true, true], 1],
    ["is news with another message", [refused, { ...refused, message: "another" }], [true, true], 1],
    ["at another time is the same", [refused, { ...refused, at: 9 }], [true, false], 2],
    ["is news after another", [refused, refused, lost, refused], [true, false, true, true], 1],
    ["is news after a connection", [refused, refused, "up", "down", refused], [true, false, true], 1],
    ["is none when the last was after a connection, too", ["up", refused, refused], [true, false], 2]
  ])("%s", (_, events, news, count) => {
    const told = after(...events)
    assert.deepStrictEqual(told.news, news)
    assert.strictEqual(told.failure?.count, count)
  })

  it("is that of one peer", () => {
    const { book } = after(refused)
    assert.isTrue(book.failed(2n, refused))
    assert.deepStrictEqual(book.stories().map(({ failure, sid }) => [sid, failure?.count]), [[1n, 1], [2n, 1]])
  })

  it("tells when it came last", () => {
    assert.strictEqual(after(refused, { ...refused, at: 9 }).failure?.at, 9)
  })
})

describe("LinkBook.rejections", () => {
  it("are counted by reason", () => {
    const book = LinkBook.make()
    assert.deepStrictEqual(book.rejections(), new Map())
    for (const reason of ["BadPort", "OwnSid", "BadPort"]) book.rejected(reason)
    const told = book.rejections()
    book.rejected("OwnSid")
    assert.deepStrictEqual(told, new Map([["BadPort", 2], ["OwnSid", 1]]))
    assert.deepStrictEqual(book.rejections(), new Map([["BadPort", 2], ["OwnSid", 2]]))
  })

  it("are news the 1st, 2nd, 4th time and so on, for each reason and host", () => {
    const book = LinkBook.make()
    const told = (reason: string, host: string) =>
      Array.from({ length: 9 }, () => (book.rejected(reason, host) ? "!" : ".")).join("")
    const all = [told("BadPort", "a"), told("BadPort", "b"), told("OwnSid", "a")]
    assert.deepStrictEqual(all, Array(3).fill("!!.!...!."))
  })

  it("are forgotten of the host that was turned away longest ago, when there are many; the counts are not", () => {
    const book = LinkBook.make()
    for (let time = 0; time < 3; time++) book.rejected("BadPort", "first")
    for (let host = 1; host < 100; host++) book.rejected("BadPort", `${host}`)
    assert.isTrue(book.rejected("BadPort", "first"), "the fourth time")
    for (let host = 100; host < 200; host++) book.rejected("BadPort", `${host}`)
    assert.isTrue(book.rejected("BadPort", "first"), "the first time again")
    assert.deepStrictEqual(book.rejections(), new Map([["BadPort", 204]]))
  })
})
