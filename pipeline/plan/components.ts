import semver from 'semver'
import type { KubernetesVersion } from '../facts/kubernetes-version.js'
import { entry, type Variants } from '../facts/load.js'
import type { ComponentSpec } from './spec.js'

/** A component of a release, by its key in variants.json. */
export function planComponent(
  kubernetes: KubernetesVersion,
  facts: Variants,
  name: string,
): ComponentSpec {
  const component = entry(facts.components, name)
  const { commits } = facts.sources.kubernetes
  switch (component.kind) {
    case 'kubernetes': {
      const commit = commits[kubernetes.version]
      return {
        name,
        ...component,
        kubernetes: kubernetes.version,
        ...(commit !== undefined && { commit }),
        go: goRelease(kubernetes, facts),
      }
    }
    case 'conformance': {
      const go = goRelease(kubernetes, facts)
      return { name, ...component, kubernetes: kubernetes.version, go }
    }
    case 'cni':
      return { name, ...component, ...facts.sources.cni }
    case 'crictl': {
      const version = entry(facts.kubernetes, kubernetes.minor).crictl
      return { name, ...component, version, go: entry(facts.sources.crictl, version) }
    }
    case 'upstream':
      return { name, ...component }
  }
}

/** The Go release for a Kubernetes release: upstream moves to a newer Go minor within a Kubernetes minor. */
function goRelease({ version, minor }: KubernetesVersion, facts: Variants): string {
  const go = entry(facts.kubernetes, minor).go
  const first = semver.rsort(Object.keys(go)).find((patch) => semver.lte(patch, version))
  return entry(go, first as string)
}
