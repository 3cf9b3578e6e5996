/** How autoscalers of Kubernetes are told to move, for kt's own manifests and for values of Kong's chart. */
import { AUTOSCALING } from '../plan/autoscaling.ts'

/** How fast the number of pods moves, as the plan's simulation has it. */
export function behavior() {
  const { up, down } = AUTOSCALING
  return {
    scaleUp: {
      stabilizationWindowSeconds: up.windowS,
      selectPolicy: 'Max' as const,
      policies: [
        { type: 'Percent' as const, value: up.percent, periodSeconds: up.periodS },
        { type: 'Pods' as const, value: up.pods, periodSeconds: up.periodS },
      ],
    },
    scaleDown: {
      stabilizationWindowSeconds: down.windowS,
      selectPolicy: 'Max' as const,
      policies: [{ type: 'Percent' as const, value: down.percent, periodSeconds: down.periodS }],
    },
  }
}
