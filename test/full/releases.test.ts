import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { loadFacts } from '../../pipeline/facts/load.js'
import type { RecipeRequest } from '../../pipeline/recipe/request.js'
import { findProgram } from '../_helpers/archive.js'
import { buildRoot } from '../_helpers/built-root.js'
import { run, succeed } from '../_helpers/command.js'
import { parseRecipeRequest } from '../_helpers/requests.js'

// The kubelet of releases from the oldest to the newest minor: it builds, and knows the flags it is started with.

for (const release of ['v1.22.9', 'v1.23.6', 'v1.28.15', 'v1.32.5', 'v1.36.4']) {
  test.serial(`the kubelet of ${release}`, async (t) => {
    t.timeout(3_600_000)
    const folder = await mkdtemp(join(tmpdir(), 'kubelet-images-releases-'))
    t.teardown(() => rm(folder, { recursive: true, force: true }))
    const image = ['--k8s', release, '--base', 'static', '--variant', 'cni']
    const archive = `kubelet-${release}-cni-static.oci.tar`
    const root = await buildRoot(folder, archive, [...image, '--image', 'kubelet'])
    const kubelet = findProgram(root, 'kubelet') as string
    t.is(await succeed(kubelet, ['--version']), `Kubernetes ${release}\n`)
    const recipe = ['--mode', 'standalone', ...image]
    const { entrypoint, kubeletFlags } = parseRecipeRequest(recipe, loadFacts()) as RecipeRequest
    const known = await run(kubelet, [...entrypoint.slice(1), ...kubeletFlags, '--help'])
    t.is(known.status, 0, known.stderr)
    const unknown = await run(kubelet, ['--no-such-flag', '--help'])
    t.not(unknown.status, 0, 'an unknown flag is refused even with --help')
  })
}
