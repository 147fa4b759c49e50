import semver from 'semver'
import { BuildError, UserError } from '../facts/errors.js'
import type { KubernetesVersion } from '../facts/kubernetes-version.js'
import type { Facts } from '../facts/schema.js'
import { run } from '../host/process.js'
import { hasProgram } from '../host/tools.js'

/**
 * Throws a UserError when a release is not published. variants.json knows the releases up to a date; about later
 * ones the Go module proxy is asked. Where it cannot be asked, the build itself will tell.
 */
export async function verifyPublished(release: KubernetesVersion, facts: Facts): Promise<void> {
  const newest = facts.kubernetes[release.minor]?.newest as string
  if (semver.lte(release.version, newest) || !hasProgram('go')) return
  const { status, stderr } = await goList([`k8s.io/kubernetes@${release.version}`])
  const refused = /\b(403 Forbidden|404 Not Found|410 Gone)\b|unknown revision/.test(stderr)
  if (status !== 0 && refused) {
    throw new UserError(
      `Kubernetes ${release.version} is not published: the newest known release of v${release.minor} is ${newest}. Did you mean ${newest}?`,
    )
  }
}

/** Every published version of Kubernetes, pre-releases too. Throws a BuildError. */
export async function listPublished(): Promise<string[]> {
  const { status, stdout, stderr } = await goList(['-versions', 'k8s.io/kubernetes'])
  if (status !== 0)
    throw new BuildError(`the Go module proxy could not be asked for releases: ${stderr}`)
  return stdout.trim().split(/\s+/).slice(1)
}

function goList(args: readonly string[]) {
  const env = { GOFLAGS: '', GOTOOLCHAIN: 'local' }
  return run('go', ['list', '-m', ...args], { cwd: '/', env, timeout: 30_000 })
}
