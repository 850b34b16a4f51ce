import { assert, describe, it } from "@effect/vitest"
import { X509Certificate } from "node:crypto"
import * as Identity from "../src/Identity.ts"
import * as Certificates from "./Certificates.ts"

const authority = Certificates.authority("the authority")

const namesOf = (terms: Certificates.Terms) =>
  Identity.namesOf(new X509Certificate(Certificates.issue(authority, terms).certificate))

describe("names of a certificate", () => {
  it("are the alternative ones and the common one", () => {
    assert.deepStrictEqual(
      namesOf({ commonName: "Zoo", names: ["DNS:Zoo-1.Example", "IP:10.0.0.1", "DNS:*.a", "IP:2001:db8::1"] }),
      { commonName: "Zoo", dns: ["zoo-1.example", "*.a"], ips: ["10.0.0.1", "2001:db8::1"] }
    )
    assert.deepStrictEqual(namesOf({ commonName: "a,b" }), { commonName: "a,b", dns: [], ips: [] })
  })

  it("cannot be smuggled in within another name", () => {
    assert.deepStrictEqual(namesOf({ names: ["DNS:a, DNS:b", "DNS:c"] }).dns, ["a, dns:b", "c"])
    assert.deepStrictEqual(namesOf({ names: ["DNS:\"a\", DNS:b"] }).dns, ["\"a\", dns:b"])
  })
})

describe("a host fits", () => {
  const none = { dns: [], ips: [], commonName: null }
  it.each<readonly [host: string, names: Partial<Identity.Names>, expected: boolean]>([
    ["zoo-1", { dns: ["zoo-1"] }, true],
    ["ZOO-1", { dns: ["zoo-1"] }, true],
    ["zoo-2", { dns: ["zoo-1"] }, false],
    ["zoo-1.example", { dns: ["zoo-1"] }, false],
    // A wildcard: anywhere, for anything without a dot, for nothing too.
    ["zoo-1.example", { dns: ["*.example"] }, true],
    ["zoo-1.example", { dns: ["zoo-*.example"] }, true],
    ["zoo-.example", { dns: ["zoo-*.example"] }, true],
    ["zoo-1.example", { dns: ["zoo-*e"] }, false],
    ["a.zoo-1.example", { dns: ["*.example"] }, false],
    ["example", { dns: ["*.example"] }, false],
    ["anything", { dns: ["*"] }, true],
    ["ab", { dns: ["ab*b"] }, false],
    // Addresses are compared with addresses, in any spelling.
    ["10.0.0.1", { ips: ["10.0.0.1"] }, true],
    ["10.0.0.2", { ips: ["10.0.0.1"] }, false],
    ["10.0.0.1", { dns: ["10.0.0.1"] }, false],
    ["10.0.0.1", { dns: ["*.0.0.1"] }, false],
    ["2001:0DB8:0::1", { ips: ["2001:db8::1"] }, true],
    ["::ffff:10.0.0.1", { ips: ["10.0.0.1"] }, true],
    ["zoo-1", { ips: ["10.0.0.1"] }, false],
    // The common name counts for either, where there is nothing else.
    ["zoo-1", { commonName: "Zoo-1" }, true],
    ["zoo-1", { commonName: "zoo-*" }, true],
    ["10.0.0.1", { commonName: "10.0.0.1" }, true],
    ["zoo-1", { commonName: "zoo-1", dns: ["zoo-2"] }, false],
    ["zoo-1", { commonName: "zoo-1", ips: ["10.0.0.1"] }, false],
    ["zoo-1", {}, false]
  ])("%s, %j: %s", (host, names, expected) => assert.strictEqual(Identity.fits({ ...none, ...names }, host), expected))
})
