/**
 * Conclave's decisions under a virtual clock and a network with faults: for whoever wants to see them hold.
 */
export * as Campaign from "./Campaign.ts"
export * as ElectionClaims from "./ElectionClaims.ts"
export * as ElectionModel from "./ElectionModel.ts"
export * as Explorer from "./Explorer.ts"
export * as LeadershipClaims from "./LeadershipClaims.ts"
export * as LeadershipModel from "./LeadershipModel.ts"
export * as NotReached from "./NotReached.ts"
export * as Profile from "./Profile.ts"
export * as Random from "./Random.ts"
export * as Reducers from "./Reducers.ts"
export * as Scenario from "./Scenario.ts"
export * as ScenarioJson from "./ScenarioJson.ts"
export * as Shrink from "./Shrink.ts"
export * as Simulator from "./Simulator.ts"
export * as Story from "./Story.ts"
export * as TestEnsemble from "./TestEnsemble.ts"
