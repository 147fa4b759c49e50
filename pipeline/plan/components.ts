import semver from 'semver'
import type { KubernetesVersion } from '../facts/kubernetes-version.js'
import { lookup } from '../facts/load.js'
import type { Facts } from '../facts/schema.js'
import type { ComponentSpec } from './spec.js'

/** A component of a release, by its key in variants.json. */
export function planComponent(
  kubernetes: KubernetesVersion,
  facts: Facts,
  name: string,
): ComponentSpec {
  const component = lookup('component', facts.components, name)
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
      const version = lookup('minor', facts.kubernetes, kubernetes.minor).crictl
      return {
        name,
        ...component,
        version,
        go: lookup('release of cri-tools', facts.sources.crictl, version),
      }
    }
    case 'upstream':
      return { name, ...component }
  }
}

/** The Go release for a Kubernetes release: upstream moves to a newer Go minor within a Kubernetes minor. */
function goRelease({ version, minor }: KubernetesVersion, facts: Facts): string {
  const go = lookup('minor', facts.kubernetes, minor).go
  const first = semver.rsort(Object.keys(go)).find((patch) => semver.lte(patch, version))
  return lookup('Go release', go, first as string)
}
