/**
 * What a peer can send that we refuse. Always the sender's fault; what is lost is
 * the message, or the connection it came on, never the peer that received it.
 */
import * as Schema from "effect/Schema"

/** A frame whose length is not 1 to 524,288. What follows cannot be told apart any more: the connection must close. */
export class MalformedFrame extends Schema.TaggedError<MalformedFrame>()("MalformedFrame", {
  length: Schema.Int
}) {
  override get message(): string {
    return `frame length ${this.length} is not within 1..524288`
  }
}

/** A frame that holds no notification. It is dropped, and the connection goes on. */
export class MalformedNotification extends Schema.TaggedError<MalformedNotification>()("MalformedNotification", {
  reason: Schema.Literals(["TooShort", "Truncated", "BadConfigLength", "ConfigTruncated"]),
  size: Schema.Int
}) {
  override get message(): string {
    return `${notificationProblems[this.reason]} (${this.size} bytes)`
  }
}

const notificationProblems = {
  TooShort: "notification shorter than the oldest form of 28 bytes",
  Truncated: "notification ends within its peer epoch or version",
  BadConfigLength: "notification announces a configuration length that is negative or larger than itself",
  ConfigTruncated: "notification ends within its configuration"
} as const

/** A connection that does not begin with a handshake we understand. It is closed. */
export class MalformedInitialMessage extends Schema.TaggedError<MalformedInitialMessage>()("MalformedInitialMessage", {
  reason: Schema.Literals(["UnknownVersion", "BadLength", "BadAddress", "BadPort"]),
  detail: Schema.String
}) {
  override get message(): string {
    return `${initialProblems[this.reason]}: ${this.detail}`
  }
}

const initialProblems = {
  UnknownVersion: "unknown protocol version in the handshake",
  BadLength: "length of the handshake's address text is not within 1..2048",
  BadAddress: "badly formed address in the handshake",
  BadPort: "bad port number in the handshake"
} as const

/** A connection on which an authentication packet is expected and something else comes. It is closed. */
export class MalformedAuthPacket extends Schema.TaggedError<MalformedAuthPacket>()("MalformedAuthPacket", {
  reason: Schema.Literals(["BadMagic", "BadLength"]),
  detail: Schema.String
}) {
  override get message(): string {
    return `${authProblems[this.reason]}: ${this.detail}`
  }
}

const authProblems = {
  BadMagic: "what should be an authentication packet begins with other bytes than 5f2435013501edcc",
  BadLength: "token length of an authentication packet is not within -1..2097150"
} as const

/** A packet at the quorum port whose lengths cannot be. What follows cannot be told apart: the connection closes. */
export class MalformedPacket extends Schema.TaggedError<MalformedPacket>()("MalformedPacket", {
  reason: Schema.Literals(["BadLength", "BadCount"]),
  detail: Schema.String
}) {
  override get message(): string {
    return `${packetProblems[this.reason]}: ${this.detail}`
  }
}

const packetProblems = {
  BadLength: "a length in a packet at the quorum port is not within -1..2097150, or several are more together",
  BadCount: "a packet at the quorum port says that more than 64 ask"
} as const
