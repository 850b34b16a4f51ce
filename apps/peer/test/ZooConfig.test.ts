import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Runtime from "effect/Runtime"
import * as Schema from "effect/Schema"
import * as ZooConfig from "../src/ZooConfig.ts"
import { ZooConfigError } from "../src/ZooConfigError.ts"
import type { Override, Warning } from "../src/ZooSettings.ts"

const base = ["dataDir=/data", "initLimit=10", "syncLimit=5"]
const servers = ["server.1=zoo-1:2888:3888", "server.2=zoo-2:2888:3888", "server.3=zoo-3:2888:3888"]

interface Input {
  readonly myid?: string
  readonly overrides?: ReadonlyMap<string, Override>
}

/** A zoo.cfg of the base, the servers, and more lines, whose first is therefore line 7. */
const whole = (...more: ReadonlyArray<string>) => [...base, ...servers, ...more].join("\n")

const configure = (text: string, { myid = "1\n", overrides }: Input = {}) =>
  Result.flatMap(ZooConfig.parse(text, { file: "zoo.cfg", overrides }), (draft) =>
    ZooConfig.complete(draft, { myid: { file: "/data/myid", text: myid }, dynamic: null, next: null }))

const get = (text: string, input: Input = {}) => Result.getOrThrow(configure(text, input))

const refused = (text: string, input: Input = {}): ZooConfigError => {
  const result = configure(text, input)
  return Result.isFailure(result) ? result.failure : assert.fail(`accepted:\n${text}`)
}

describe("a zoo.cfg", () => {
  it("as the manual shows it", () => {
    const { verifier, ...config } = get([
      "# The number of milliseconds of each tick",
      "tickTime=2000",
      "initLimit = 10",
      "syncLimit : 5",
      "dataDir=/var/lib/zookeeper",
      "clientPort=2181",
      "maxClientCnxns=60",
      "autopurge.purgeInterval=1",
      "4lw.commands.whitelist=*",
      "metricsProvider.className=org.apache.zookeeper.metrics.prometheus.PrometheusMetricsProvider",
      ...servers
    ].join("\r\n"))
    assert.deepStrictEqual(config, {
      file: "zoo.cfg",
      mySid: 1n,
      lastSeen: null,
      dataDir: "/var/lib/zookeeper",
      dataLogDir: "/var/lib/zookeeper",
      juteMaxBuffer: 1_048_575,
      trustsEmptySnapshot: false,
      autocreatesDirectories: true,
      autocreatesDatabase: true,
      tickTime: 2000,
      initLimit: 10,
      syncLimit: 5,
      electionAlg: 3,
      reconfigEnabled: false,
      standaloneEnabled: true,
      quorumListenOnAllIPs: false,
      multiAddressEnabled: false,
      reachabilityCheckEnabled: true,
      reachabilityCheckTimeout: 1000,
      minNotificationInterval: 200,
      maxNotificationInterval: 60_000,
      cnxTimeout: 5000,
      quorumCnxnTimeout: 10_000,
      electionPortBindRetry: 3,
      quorumCnxnThreadsSize: 20,
      tcpKeepAlive: true,
      tls: null,
      activation: {
        enabled: true,
        lease: null,
        pause: { enabled: true, sleepTime: 500, warnThreshold: 10_000, infoThreshold: 1_000 }
      },
      electable: true,
      rules: "conclave",
      auth: null,
      warnings: []
    })
    assert.strictEqual(
      verifier.text,
      "server.1=zoo-1:2888:3888:participant\nserver.2=zoo-2:2888:3888:participant\n" +
        "server.3=zoo-3:2888:3888:participant\nversion=0"
    )
  })

  it.each<readonly [line: string, key: keyof ZooConfig.Options, value: unknown]>([
    ["dataLogDir=/logs", "dataLogDir", "/logs"],
    ["jute.maxbuffer=4194304", "juteMaxBuffer", 4_194_304],
    ["snapshot.trust.empty=true", "trustsEmptySnapshot", true],
    ["datadir.autocreate=false", "autocreatesDirectories", false],
    ["zookeeper.db.autocreate=false", "autocreatesDatabase", false],
    ["tickTime=+0500", "tickTime", 500],
    ["tickTime=1", "tickTime", 1],
    ["tickTime=2147483647", "tickTime", 2_147_483_647],
    ["electionAlg=3", "electionAlg", 3],
    ["reconfigEnabled=True", "reconfigEnabled", true],
    ["standaloneEnabled=FALSE", "standaloneEnabled", false],
    ["quorumListenOnAllIPs=true", "quorumListenOnAllIPs", true],
    ["multiAddress.enabled=true", "multiAddressEnabled", true],
    ["zookeeper.multiAddress.enabled=true", "multiAddressEnabled", true],
    ["multiAddress.reachabilityCheckEnabled=False", "reachabilityCheckEnabled", false],
    ["zookeeper.multiAddress.reachabilityCheckEnabled=false", "reachabilityCheckEnabled", false],
    ["multiAddress.reachabilityCheckTimeoutMs=70", "reachabilityCheckTimeout", 70],
    ["zookeeper.multiAddress.reachabilityCheckTimeoutMs=70", "reachabilityCheckTimeout", 70],
    ["quorum.cnxn.threads.size=21", "quorumCnxnThreadsSize", 21],
    ["quorum.cnxn.threads.size=20", "quorumCnxnThreadsSize", 20],
    ["quorum.cnxn.threads.size=19", "quorumCnxnThreadsSize", 20],
    ["quorum.cnxn.threads.size=0", "quorumCnxnThreadsSize", 20],
    ["quorum.cnxn.threads.size=-5", "quorumCnxnThreadsSize", 20],
    ["fastleader.minNotificationInterval=50", "minNotificationInterval", 50],
    ["zookeeper.fastleader.minNotificationInterval=50", "minNotificationInterval", 50],
    ["fastleader.minNotificationInterval=70000", "maxNotificationInterval", 70_000],
    ["fastleader.maxNotificationInterval=1000", "maxNotificationInterval", 1000],
    ["cnxTimeout=700", "cnxTimeout", 700],
    ["zookeeper.cnxTimeout=700", "cnxTimeout", 700],
    ["quorumCnxnTimeoutMs=123", "quorumCnxnTimeout", 123],
    ["quorumCnxnTimeoutMs=-1", "quorumCnxnTimeout", 15_000],
    ["electionPortBindRetry=0", "electionPortBindRetry", 0],
    ["electionPortBindRetry=-7", "electionPortBindRetry", 3],
    ["tcpKeepAlive=false", "tcpKeepAlive", false],
    ["conclave.electable=false", "electable", false],
    ["conclave.rules=zookeeper", "rules", "zookeeper"],
    ["sslQuorum=false", "electionAlg", 3]
  ])("%s", (line, key, value) => {
    assert.strictEqual(get(whole(line))[key], value)
  })

  it.each<readonly [myid: string, sid: bigint]>([
    ["2", 2n],
    [" 2 \t\r\nand more", 2n],
    ["+3\n", 3n]
  ])("myid %j", (myid, sid) => {
    assert.strictEqual(get(whole(), { myid }).mySid, sid)
  })

  it("several addresses, once the key in the file says so", () => {
    const text = [...base, ...servers.slice(1), "multiAddress.enabled=true", "server.1=a:1:2|b:1:2"].join("\n")
    assert.strictEqual(get(text).verifier.servers.get(1n)?.addresses.length, 2)
    assert.match(refused(text.replace("true", "false")).problem, /^Multiple address feature is disabled/)
  })

  it("groups, weights, a version and blanks at the ends of lines", () => {
    const { verifier } = get(whole("group.1=1:2:3 ", "weight.2=4\t", "version=1f "))
    assert.strictEqual(verifier._tag, "Hierarchical")
    assert.strictEqual(verifier.version, 31n)
  })

  it("an oracle", () => {
    const { verifier } = get(whole("oraclePath=/run/oracle"))
    assert.strictEqual(verifier._tag === "Oracle" && verifier.oraclePath, "/run/oracle")
  })
})

describe("a zoo.cfg with a fault", () => {
  const form = "server.N=host:quorumPort:electionPort[:participant|observer][;[clientHost:]clientPort]"
  it.each<readonly [line: string, problem: RegExp, remedy: RegExp]>([
    ["tickTime=ten", /^ten is not a whole number$/, /^write a whole number of milliseconds .* tickTime=2000$/],
    ["tickTime=0", /^tickTime is 0, outside 1 to 2147483647$/, /tickTime=2000/],
    ["tickTime=2147483648", /outside 1 to 2147483647$/, /tickTime=2000/],
    ["tickTime=", /^tickTime is not set$/, /tickTime=2000/],
    ["tickTime=0x10", /^0x10 is not a whole number$/, /tickTime=2000/],
    ["dataLogDir=", /^dataLogDir is not set$/, /dataLogDir=\/data/],
    ["cnxTimeout=0", /^cnxTimeout is 0, outside/, /cnxTimeout=5000/],
    ["fastleader.minNotificationInterval=0", /outside 1 to/, /=200$/],
    ["fastleader.maxNotificationInterval=100", /^100 is less than .*, which is 200$/, /the larger of the two/],
    ["multiAddress.reachabilityCheckEnabled=1", /^Invalid option 1 for multiAddress\.reachab/, /=true or/],
    ["multiAddress.reachabilityCheckTimeoutMs=0", /Ms is 0, outside 1 to 2147483647$/, /=1000$/],
    ["multiAddress.reachabilityCheckTimeoutMs=1s", /^1s is not a whole number$/, /milliseconds .*=1000$/],
    ["quorum.cnxn.threads.size=many", /^many is not a whole number$/, /^write a whole number of threads .*=20$/],
    ["quorum.cnxn.threads.size=", /^quorum\.cnxn\.threads\.size is not set$/, /=20$/],
    ["server.4=a:1:2|b:1:2|c:1:2", /^Multiple address feature is disabled/, /server\.N/],
    ["reconfigEnabled=yes", /^Invalid option yes for reconfigEnabled\. Choose 'true' or 'false\.'$/, /=true or/],
    ["standaloneEnabled=", /^Invalid option {2}for standaloneEnabled\./, /standaloneEnabled=true or/],
    ["conclave.electable=maybe", /^Invalid option maybe/, /conclave\.electable=true or/],
    ["conclave.lease=2000", /^2000 ms are too short for a lease here$/, /more than a tick and the grace, 3400 ms/],
    ["conclave.lease=28824", /^28824 ms are too long for a lease here$/, /no more than 28823 ms, initLimit ticks by/],
    ["conclave.clockDriftPercent=51", /outside 0 to 50/, /conclave\.clockDriftPercent=1/],
    ["conclave.rules=java", /^java is no set of rules$/, /conclave\.rules=zookeeper/],
    ["electionAlg=0", /supported\. 0 was an election over UDP, removed in ZooKeeper 3\.6\.$/, /electionAlg=3 or/],
    ["electionAlg=1", /1 was an election over UDP/, /electionAlg=3 or leave the line out/],
    ["electionAlg=2", /2 was an election over UDP/, /electionAlg=3 or leave the line out/],
    ["electionAlg=4", /^Invalid electionAlg value\. Only 3 is supported\.$/, /electionAlg=3 or leave/],
    ["electionAlg=fast", /^Invalid electionAlg value\. Only 3 is supported\.$/, /electionAlg=3 or leave/],
    ["quorum.auth.learnerRequireSasl=true", /^quorum\.auth\.enableSasl is disabled, so cannot/, /enableSasl=true too/],
    ["quorum.auth.serverRequireSasl=true", /^quorum\.auth\.enableSasl is disabled, so cannot/, /enableSasl=true too/],
    ["quorum.auth.enableSasl=1", /^Invalid option 1 for quorum\.auth\.enableSasl/, /=true or/],
    ["quorum.auth.learner.saslLoginContext=", /^quorum\.auth\.learner\.saslLoginContext is not set$/, /=QuorumLearner/],
    ["sslQuorum=yes", /^Invalid option yes for sslQuorum/, /^write sslQuorum=true or/],
    ["portUnification=", /^Invalid option {2}for portUnification/, /portUnification=false/],
    ["peerType=king", /^Unrecognised peertype: king$/, /peerType=observer/],
    ["clientPortAddress=h", /^clientPortAddress is set but clientPort is not set$/, /clientPort=2181/],
    ["clientPort=70000", /^clientPort is 70000, outside 0 to 65535$/, /clientPort=2181/],
    ["server.4=nonsense", /^nonsense does not have the form server_config/, /^there must be server\.N=host/],
    ["server.4=h:2888:2888", /^Client and election port must be different!/, /^there must be server\.N=host/],
    ["server.4=a:1:2|b:1:2", /^Multiple address feature is disabled.* multiAddress\.enabled=true/, /server\.N/],
    ["server.+04=h:1:x", /^Address unresolved: h:x/, /server\.N/],
    ["server.x=h:1:2", /^For input string: "x"/, /server\.N/],
    ["server.1=h:1:2", /^server\.1 is given on line 4 too$/, /number them differently/],
    ["server.01=h:1:2", /^1 is given twice, in different spellings/, /server\.N/],
    ["group.1=1:2:3:9", /^group 1 names server 9/, /group\.G=sid:sid/],
    ["weight.x=1", /^For input string: "x"/, /weight\.N=number/],
    ["version=0x1", /^For input string: "0x1"/, /./],
    ["bad=\\u12", /^Malformed/, /four hexadecimal digits/]
  ])("%s", (line, problem, remedy) => {
    const error = refused(whole(line))
    assert.deepStrictEqual([error.file, error.line, error.text], ["zoo.cfg", 7, line])
    assert.match(error.problem, problem)
    assert.match(error.remedy, remedy)
  })

  it.each<readonly [missing: string, problem: string]>([
    ["dataDir", "dataDir is not set"],
    ["initLimit", "initLimit is not set"],
    ["syncLimit", "syncLimit is not set"]
  ])("without %s", (missing, problem) => {
    const error = refused(whole().split("\n").filter((line) => !line.startsWith(missing)).join("\n"))
    assert.deepStrictEqual([error.line, error.key, error.text, error.problem], [null, missing, null, problem])
    assert.include(error.remedy, `${missing}=`)
  })

  it.each<readonly [lines: ReadonlyArray<string>, line: number | null, problem: RegExp]>([
    [[], null, /^there is no server\.N line/],
    [["server.1=h:1:2:observer"], null, /^Observers w\/o participants/],
    [["server.1=h:1:2", "server.2=h:1:3:observer"], null, /^Observers w\/o quorum/],
    [["standaloneEnabled=false", "server.1=h:1:2:observer"], 4, /^standaloneEnabled = false then number of/],
    [["server.1=h:1:2", "server.2=h:1:3", "group.1=1"], 5, /^Server 2 is not in a group/],
    [["server.1=h:1:2;2182", "clientPort=2181"], 5, /\(id = 1\) .* 0\.0\.0\.0:2181 is different .* 0\.0\.0\.0:2182$/]
  ])("with members %j", (lines, line, problem) => {
    const error = refused([...base, ...lines].join("\n"))
    assert.strictEqual(error.line, line)
    assert.match(error.problem, problem)
  })

  it("reads well, and says how the process ends", () => {
    const error = refused(whole("server.4=h:1:2:king"))
    assert.strictEqual(
      error.message,
      "zoo.cfg, line 7: server.4=h:1:2:king\n" +
        "  problem: Unrecognised peertype: king; write participant or observer\n" +
        `  to do:   there must be ${form}`
    )
    assert.strictEqual(error[Runtime.errorExitCode], 2)
  })

  it.prop("any text has a result", [Schema.String], ([text]) => {
    const result = configure(text)
    assert.isTrue(Result.isFailure(result) && result.failure instanceof ZooConfigError)
  })
})

describe("warnings", () => {
  const warnings = (text: string): ReadonlyArray<Warning> => get(text).warnings
  it.each<readonly [line: string, key: string, message: RegExp]>([
    ["ticktime=1", "ticktime", /^neither ZooKeeper nor Conclave knows ticktime; .* misspelt\?$/],
    ["conclave.electible=1", "conclave.electible", /^neither/],
    ["fastleader.minNotifications=1", "fastleader.minNotifications", /^neither/],
    ["zookeeper.server.4=h:1:2", "zookeeper.server.4", /^neither/],
    ["initLimit=11", "initLimit", /^initLimit is given on line 2 too; line 7 counts$/],
    ["zookeeper.syncLimit=11", "syncLimit", /^syncLimit is given on line 3 too; line 7 counts$/],
    ["peerType=Observer", "peerType", /^peerType is observer, but the server list says participant; the list counts$/],
    ["electionPortBindRetry=-1", "electionPortBindRetry", /^-1 is no number of retries; 3 counts$/]
  ])("%s", (line, key, message) => {
    const found = warnings(whole(line))
    assert.deepStrictEqual(found.map((warning) => [warning.key, warning.line]), [[key, 7]])
    assert.match(found[0]!.message, message)
  })

  it.each(["clientPort=2181", "peerType=participant", "ssl.quorum.keyStore.location=x", "admin.enableServer=false"])(
    "none about %s",
    (line) => assert.deepStrictEqual(warnings(whole(line)), [])
  )

  it.each<readonly [count: number, message: RegExp]>([
    [1, /^only one server specified/],
    [2, /^No server failure will be tolerated/],
    [4, /^Non-optimal configuration, .*: 4 outlive no more than 3$/]
  ])("about %d servers", (count, message) => {
    const lines = Array.from({ length: count }, (_, index) => `server.${index + 1}=h${index}:1:2`)
    const found = warnings([...base, ...lines].join("\n"))
    assert.strictEqual(found.length, 1)
    assert.match(found[0]!.message, message)
  })
})

describe("overrides", () => {
  const overrides = (key: string, value: string, flag: string) => new Map([[key, { value, flag }]])

  it("count instead of the file's value, even of a wrong one", () => {
    const config = get(whole("tickTime=ten"), { overrides: overrides("tickTime", "50", "--tick-time") })
    assert.strictEqual(config.tickTime, 50)
  })

  it("are named by their flag", () => {
    const error = refused(whole(), { overrides: overrides("tickTime", "ten", "--tick-time") })
    assert.deepStrictEqual([error.file, error.line, error.text], ["--tick-time", null, "--tick-time ten"])
    assert.match(error.message, /^--tick-time ten\n {2}problem: ten is not a whole number\n {2}to do: /)
  })
})
