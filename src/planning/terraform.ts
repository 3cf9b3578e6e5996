/**
 * The node group in Terraform's JSON syntax: the planned machine between the plan's bounds, one a zone at least. What
 * belongs to the account (cluster, role, subnets) is a variable.
 */
import { UserError } from '../errors.ts'
import type { ClusterSettings } from './settings.ts'

export function terraform({ name, node, nodes, answer }: ClusterSettings): Record<string, string> {
  const body = POOLS[node.cloud]
  if (!body)
    throw new UserError(
      `--emit terraform: no node pool is known for ${node.cloud}`,
      'Take a --node of AWS, GCP or Azure.',
    )
  const { provider, variables, resource } = body(name, node.type, nodes, node.purchase === 'spot')
  const file = {
    '//': `kt plan: ${answer}`,
    terraform: { required_version: '>= 1.5', required_providers: provider },
    variable: Object.fromEntries(
      variables.map((variable) => [
        variable,
        { type: variable.endsWith('_ids') || variable.endsWith('zones') ? 'list(string)' : 'string' },
      ]),
    ),
    resource,
  }
  return { 'main.tf.json': `${JSON.stringify(file, null, 2)}\n` }
}

type Pool = (
  name: string,
  type: string,
  nodes: { min: number; max: number },
  spot: boolean,
) => { provider: object; variables: string[]; resource: object }

const variable = (name: string): string => `$\{var.${name}}`

const POOLS: Partial<Record<string, Pool>> = {
  AWS: (name, type, { min, max }, spot) => ({
    provider: { aws: { source: 'hashicorp/aws', version: '>= 5.0' } },
    variables: ['cluster_name', 'node_role_arn', 'subnet_ids'],
    resource: {
      aws_eks_node_group: {
        [name]: {
          cluster_name: variable('cluster_name'),
          node_group_name: name,
          node_role_arn: variable('node_role_arn'),
          subnet_ids: variable('subnet_ids'),
          instance_types: [type],
          capacity_type: spot ? 'SPOT' : 'ON_DEMAND',
          scaling_config: { min_size: min, desired_size: min, max_size: max },
          update_config: { max_unavailable: 1 },
          labels: { 'app.kubernetes.io/part-of': name },
          // The autoscaler moves it, and an apply must not move it back.
          lifecycle: { ignore_changes: ['scaling_config[0].desired_size'] },
        },
      },
    },
  }),
  GCP: (name, type, { min, max }, spot) => ({
    provider: { google: { source: 'hashicorp/google', version: '>= 5.0' } },
    variables: ['cluster_name', 'location', 'zones'],
    resource: {
      google_container_node_pool: {
        [name]: {
          name,
          cluster: variable('cluster_name'),
          location: variable('location'),
          node_locations: variable('zones'),
          autoscaling: { total_min_node_count: min, total_max_node_count: max },
          node_config: { machine_type: type, ...(spot && { spot }), labels: { 'part-of': name } },
        },
      },
    },
  }),
  Azure: (name, type, { min, max }, spot) => ({
    provider: { azurerm: { source: 'hashicorp/azurerm', version: '>= 4.0' } },
    variables: ['cluster_id', 'zones'],
    resource: {
      azurerm_kubernetes_cluster_node_pool: {
        [name]: {
          // Azure allows twelve letters and digits.
          name: name.replaceAll(/[^a-z0-9]/g, '').slice(0, 12),
          kubernetes_cluster_id: variable('cluster_id'),
          vm_size: type,
          zones: variable('zones'),
          ...(spot && { priority: 'Spot', eviction_policy: 'Delete' }),
          auto_scaling_enabled: true,
          min_count: min,
          max_count: max,
          node_labels: { 'part-of': name },
        },
      },
    },
  }),
}
