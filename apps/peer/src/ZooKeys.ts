/**
 * The keys of a `zoo.cfg`: which ones ZooKeeper or Conclave know, and which ones
 * must not be passed over in silence.
 */
import { isMembershipKey } from "@conclave/core/DynamicConfig"

/**
 * The key without the prefix `zookeeper.`, under which ZooKeeper knows most of
 * its settings as system properties. Members, groups and weights have none.
 */
export const withoutPrefix = (key: string): string => {
  const rest = key.startsWith("zookeeper.") ? key.slice(10) : key
  return isMembershipKey(rest) ? key : rest
}

/** Does ZooKeeper or Conclave know this key (without prefix)? What nobody knows is probably misspelt. */
export const isKnown = (key: string): boolean =>
  isMembershipKey(key) || known.has(key) ||
  (!key.startsWith("ssl.quorum.") && families.some((family) => key.startsWith(family)))

/** What Conclave reads. */
const ours = [
  "cnxTimeout",
  "conclave.activation",
  "conclave.clockDriftPercent",
  "conclave.electable",
  "conclave.lease",
  "conclave.lease.grace",
  "conclave.rules",
  "conclave.ssl.quorum.crlFile",
  "dataDir",
  "dataLogDir",
  "datadir.autocreate",
  "db.autocreate",
  "dynamicConfigFile",
  "electionAlg",
  "electionPortBindRetry",
  "fastleader.maxNotificationInterval",
  "fastleader.minNotificationInterval",
  "initLimit",
  "jute.maxbuffer",
  "multiAddress.enabled",
  "multiAddress.reachabilityCheckEnabled",
  "multiAddress.reachabilityCheckTimeoutMs",
  "oraclePath",
  "peerType",
  "portUnification",
  "quorum.auth.enableSasl",
  "quorum.auth.kerberos.servicePrincipal",
  "quorum.auth.learner.saslLoginContext",
  "quorum.auth.learnerRequireSasl",
  "quorum.auth.server.saslLoginContext",
  "quorum.auth.serverRequireSasl",
  "quorum.cnxn.threads.size",
  "quorumCnxnTimeoutMs",
  "quorumListenOnAllIPs",
  "reconfigEnabled",
  "snapshot.trust.empty",
  ...[
    "allowReverseDnsLookup",
    "ciphersuites",
    "clientAuth",
    "clientHostnameVerification",
    "context.supplier.class",
    "crl",
    "enabledProtocols",
    "handshakeDetectionTimeoutMillis",
    "hostnameVerification",
    "ocsp",
    "protocol",
    ...["location", "password", "passwordPath", "type"].flatMap((part) => [`keyStore.${part}`, `trustStore.${part}`])
  ].map((name) => `ssl.quorum.${name}`),
  "sslQuorum",
  "sslQuorumReloadCertFiles",
  "standaloneEnabled",
  "syncLimit",
  "tcpKeepAlive",
  "tickTime",
  "version"
]

/** What only ZooKeeper reads: about its clients, its database, its administration. */
const theirs = [
  "4lw.commands.whitelist",
  "DigestAuthenticationProvider.superDigest",
  "allowSaslFailedClients",
  "authorizer",
  "clientPort",
  "clientPortAddress",
  "clientPortListenBacklog",
  "commitLogCount",
  "connectToLearnerMasterLimit",
  "enableEagerACLCheck",
  "emulate353TTLNodes",
  "ensembleAuthName",
  "extendedTypesEnabled",
  "fips-mode",
  "flushDelay",
  "forceSnapshotSync",
  "forceSync",
  "fsync.warningthresholdms",
  "globalOutstandingLimit",
  "intBufferStartingSizeBytes",
  "largeRequestMaxBytes",
  "largeRequestThreshold",
  "leaderConnectDelayDuringRetryMs",
  "leaderServes",
  "localSessionsEnabled",
  "localSessionsUpgradingEnabled",
  "maxBatchSize",
  "maxClientCnxns",
  "maxCnxns",
  "maxGetChildrenResponseCacheSize",
  "maxResponseCacheSize",
  "maxSessionTimeout",
  "maxTimeToWaitForEpoch",
  "maxWriteQueuePollTime",
  "minSessionTimeout",
  "observerMasterPort",
  "preAllocSize",
  "request_throttle_max_requests",
  "request_throttle_stall_time",
  "request_timeout",
  "secureClientPort",
  "secureClientPortAddress",
  "serializeLastProcessedZxid.enabled",
  "skipACL",
  "snapCount",
  "snapSizeLimitInKb",
  "snapshotSizeFactor",
  "syncEnabled",
  "testingonly.initialZxid",
  "txnLogSizeLimitInKb"
]

const known = new Set([...ours, ...theirs])

/** Prefixes of keys of which ZooKeeper has many, or of which plugins make their own. */
const families = [
  "X509AuthenticationProvider.",
  "admin.",
  "audit.",
  "authProvider.",
  "autopurge.",
  "client.",
  "closeSession",
  "commitProcessor.",
  "connection",
  "datadir.",
  "db.",
  "digest.",
  "enforce.",
  "follower.",
  "jvm.pause.",
  "kerberos.",
  "leader.",
  "learner.",
  "metricsProvider.",
  "netty.",
  "nio.",
  "observer.",
  "persistence.",
  "readonlymode.",
  "sasl.",
  "security.",
  "serverCnxnFactory",
  "sessionRequireClientSASLAuth",
  "snapshot.",
  "ssl.",
  "throttled",
  "txnlog.",
  "watch",
  "znode.container."
]
