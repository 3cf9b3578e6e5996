/**
 * The steps of the Kubernetes HPA: every 15 s it wants ceil(pods x utilisation / target), within a tolerance of 10 %.
 * How fast it then moves is what kt emits, and so what it simulates: up by double or 4 pods in 15 s, which are the
 * defaults of Kubernetes; down only to the highest wish of 300 s and by 10 % in 60 s, since every pod that goes drains
 * its streams. Source: Kubernetes, horizontal pod autoscaling, algorithm details and scaling policies.
 */
export const AUTOSCALING = {
  syncS: 15,
  tolerance: 0.1,
  up: { windowS: 0, percent: 100, pods: 4, periodS: 15 },
  down: { windowS: 300, percent: 10, periodS: 60 },
} as const

/** A quarter can double twice within half a minute of the autoscaler's steps. */
const FLOOR_SHARE = 4

/** The bounds between which a fleet is scaled, and the share of a pod's CPU it aims at. */
export interface ScalingBounds {
  target: number
  min: number
  max: number
}

export function scalingBounds(
  { pods, zones, cpuTarget }: { pods: { perZone: number; surging: number }; zones: number; cpuTarget: number },
  mostWorkers: number,
): ScalingBounds {
  return {
    target: cpuTarget,
    min: zones * Math.max(1, Math.ceil(pods.perZone / FLOOR_SHARE)),
    max: Math.max(pods.surging, mostWorkers),
  }
}
